// Owns how the one-time secret of an invitation becomes a login. Knows nothing of where accounts are kept.
import { FarkeepError } from '../kernel/farkeep-error.ts';

/** Between account and invitation in the login name; no account name can hold it. */
const mark = '#';

/** @param fileSecret "<invitation id>.<one-time password>" as it stands in the invitation file */
export function invitationLogin(userName: string, fileSecret: string): { userName: string; password: string } {
  const dot = fileSecret.indexOf('.');
  if (dot <= 0 || dot === fileSecret.length - 1) {
    throw new FarkeepError('call.invalid', 'The secret in the invitation is damaged', { field: 'invitation' });
  }
  return { userName: `${userName}${mark}${fileSecret.slice(0, dot)}`, password: fileSecret.slice(dot + 1) };
}

export function formatInvitationSecret(invitationId: string, password: string): string {
  return `${invitationId}.${password}`;
}

/** The parts of a login name; `invitationId` is undefined for an ordinary login. */
export function splitLoginName(loginName: string): { accountName: string; invitationId: string | undefined } {
  const at = loginName.indexOf(mark);
  if (at === -1) return { accountName: loginName, invitationId: undefined };
  return { accountName: loginName.slice(0, at), invitationId: loginName.slice(at + 1) };
}
