// Owns desktop notifications: which session end causes one, and its text. The user can switch each kind off.
import { Notification } from 'electron';
import { inLine } from '../../../services/kernel/shown-text.ts';
import type { Preferences } from '../../../services/contracts/rpc/console.ts';
import type { SessionSummary } from '../../../services/contracts/models/session.ts';

export interface NotificationText {
  readonly kind: keyof Preferences['areNotificationsOn'];
  readonly title: string;
  readonly body: string;
}

/** @returns undefined if the user needs no notification, for example after the user canceled the session */
export function describeEnd(session: SessionSummary): NotificationText | undefined {
  if (session.kind === 'browse') return undefined;
  const name = `${session.kind === 'backup' ? 'Backup' : 'Restore'} "${session.jobName}"`;
  if (session.hasSecurityWarning) {
    const what = session.error?.message ?? 'look at the session';
    return { kind: 'security', title: 'Security warning', body: `${name}: ${what}` };
  }
  switch (session.state) {
    case 'succeeded':
      return { kind: 'finished', title: 'Finished', body: `${name} has finished.` };
    case 'warning':
      return { kind: 'finished', title: 'Finished with warnings', body: `${name} has finished; see the warnings.` };
    case 'failed':
      return { kind: 'failed', title: 'Failed', body: `${name}: ${session.error?.message ?? 'see the session'}` };
    default:
      return undefined;
  }
}

export function notifySessionEnd(session: SessionSummary, preferences: Preferences, onClick: () => void): void {
  const text = describeEnd(session);
  if (text === undefined || !preferences.areNotificationsOn[text.kind] || !Notification.isSupported()) return;
  const notification = new Notification({ title: text.title, body: inLine(text.body) });
  notification.on('click', onClick);
  notification.show();
}
