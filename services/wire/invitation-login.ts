// Owns how the one-time secret of an invitation is turned into a login. Must not know where accounts are stored.
import { FarkeepError } from '../kernel/farkeep-error.ts';

/** Separates account and invitation in the login name; an account name cannot contain this character. */
const mark = '#';

/** @param fileSecret "<invitation id>.<one-time password>", as in the invitation file */
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
