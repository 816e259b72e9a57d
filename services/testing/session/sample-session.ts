// Owns a session of which nothing is known but what it is for, as a service shows it. For tests only.
import type { SessionDetail } from '../../contracts/models/session.ts';
import { newDetail } from '../../session/session-record.ts';

export function sampleDetail(id: string, changes: Partial<SessionDetail> = {}): SessionDetail {
  const session = {
    id,
    kind: 'backup',
    jobName: 'documents',
    otherSide: 'contoso',
    repository: 'main',
    viewer: 'provider',
    streams: 1,
    areObjectNamesHidden: false,
  } as const;
  return { ...newDetail(session, '2027-03-01T12:00:00.000Z'), ...changes };
}
