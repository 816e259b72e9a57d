// Owns the changes that session events make in the sessions that a view has open. Pure. apply-event.ts changes the rows of lists.
import type {
  HandshakeStep,
  SessionAction,
  SessionDetail,
  SessionKeys,
  SessionObject,
  ThroughputSample,
} from '../../../services/contracts/models/session.ts';
import { finalSessionStates } from '../../../services/contracts/models/session.ts';
import { openSessionKey } from './mirror-state.ts';
import type { OpenSession } from './mirror-state.ts';
import type { TypedEvent } from './typed-event.ts';

type OpenSessions = Readonly<Record<string, OpenSession>>;

function replaceOrAppend<T>(rows: readonly T[], isSame: (row: T) => boolean, row: T): T[] {
  const index = rows.findIndex(isSame);
  return index === -1 ? [...rows, row] : rows.with(index, row);
}

/** A security warning stays: a later, better outcome of the same step in the same attempt must not hide it. */
function withStep(steps: readonly HandshakeStep[], step: HandshakeStep): HandshakeStep[] {
  const isSame = (known: HandshakeStep): boolean => known.step === step.step && known.attempt === step.attempt;
  const known = steps.find(isSame);
  if (known?.outcome === 'security-warning' && step.outcome !== 'security-warning') return [...steps];
  return replaceOrAppend(steps, isSame, step);
}

function withKeys(keys: readonly SessionKeys[], { attempt, step, keyIdentifier }: HandshakeStep): SessionKeys[] {
  if (keyIdentifier === null) return [...keys];
  const known = keys.find((entry) => entry.attempt === attempt) ?? { attempt, keyA: null, keyB: null };
  const isKeyA = step.startsWith('key-a');
  const entry = isKeyA ? { ...known, keyA: keyIdentifier } : { ...known, keyB: keyIdentifier };
  return replaceOrAppend(keys, (other) => other.attempt === attempt, entry);
}

function withAction(actions: readonly SessionAction[], action: SessionAction): SessionAction[] {
  return replaceOrAppend(actions, ({ sequence }) => sequence === action.sequence, action);
}

function withObject(objects: readonly SessionObject[], object: SessionObject): SessionObject[] {
  return replaceOrAppend(objects, ({ name }) => name === object.name, object);
}

function withSample(samples: readonly ThroughputSample[], sample: ThroughputSample): readonly ThroughputSample[] {
  const last = samples.at(-1);
  return last !== undefined && last.at >= sample.at ? samples : [...samples, sample];
}

function changeDetail(open: OpenSession, change: (detail: SessionDetail) => SessionDetail): OpenSession {
  return open.detail === null ? open : { ...open, detail: change(open.detail) };
}

function applyToOpen(open: OpenSession, event: TypedEvent): OpenSession {
  switch (event.name) {
    case 'sessions.changed':
      return changeDetail(open, (detail) => ({
        ...detail,
        ...event.payload,
        // The time of the next attempt belongs to the waiting state. The detail is fetched again when the attempt begins.
        nextAttemptAt: event.payload.state === 'waiting-to-resume' ? detail.nextAttemptAt : null,
      }));
    case 'sessions.progressed':
      return changeDetail(open, (detail) =>
        finalSessionStates.includes(detail.state)
          ? detail
          : { ...detail, progress: event.payload.progress, bottleneck: event.payload.bottleneck ?? detail.bottleneck },
      );
    case 'sessions.stepped':
      return changeDetail(open, (detail) => ({
        ...detail,
        steps: withStep(detail.steps, event.payload.step),
        keys: withKeys(detail.keys, event.payload.step),
      }));
    case 'sessions.acted':
      return changeDetail(open, (detail) => ({ ...detail, actions: withAction(detail.actions, event.payload.action) }));
    case 'sessions.objectChanged':
      return changeDetail(open, (detail) => ({ ...detail, objects: withObject(detail.objects, event.payload.object) }));
    case 'sessions.sampled': {
      const samples = withSample(open.samples, event.payload.sample);
      return samples === open.samples ? open : { ...open, samples };
    }
    default:
      return open;
  }
}

function sessionIdOf(event: TypedEvent): string | null {
  switch (event.name) {
    case 'sessions.changed':
      return event.payload.id;
    case 'sessions.progressed':
    case 'sessions.stepped':
    case 'sessions.acted':
    case 'sessions.objectChanged':
    case 'sessions.sampled':
      return event.payload.sessionId;
    default:
      return null;
  }
}

export function applySessionEvent(
  sessions: OpenSessions,
  side: 'provider' | 'tenant',
  event: TypedEvent,
): OpenSessions {
  const sessionId = sessionIdOf(event);
  if (sessionId === null) return sessions;
  const key = openSessionKey(side, sessionId);
  const open = sessions[key];
  if (open === undefined) return sessions;
  const changed = applyToOpen(open, event);
  return changed === open ? sessions : { ...sessions, [key]: changed };
}
