// Owns the conversion of changes in a session into events of the sessions domain. Must not decide anything.
import type { EventPublisher } from '../contracts/contract.ts';
import { sessionsDomain } from '../contracts/rpc/sessions.ts';
import type { SessionObserver } from './session-record.ts';

export function sessionPublisher(publish: EventPublisher): SessionObserver {
  return {
    changed: (summary) => publish(sessionsDomain, 'changed', summary),
    progressed: (sessionId, at, progress, bottleneck) =>
      publish(sessionsDomain, 'progressed', { sessionId, at, progress, bottleneck }),
    stepped: (sessionId, step) => publish(sessionsDomain, 'stepped', { sessionId, step }),
    acted: (sessionId, action) => publish(sessionsDomain, 'acted', { sessionId, action }),
    objectChanged: (sessionId, object) => publish(sessionsDomain, 'objectChanged', { sessionId, object }),
    sampled: (sessionId, sample) => publish(sessionsDomain, 'sampled', { sessionId, sample }),
  };
}
