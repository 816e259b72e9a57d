// Owns what the main process must know of sessions: how many run (before the window closes), and which just ended (for notifications).
// Reads the events on their way to the renderer and makes no calls. Pure: does not use Electron.
import { sessionsDomain } from '../../../services/contracts/rpc/sessions.ts';
import { finalSessionStates, type SessionSummary } from '../../../services/contracts/models/session.ts';
import type { ServiceRole } from '../../../services/contracts/contract.ts';
import type { SupervisedEvent } from '../services/supervisor.ts';

export interface SessionWatch {
  observe(event: SupervisedEvent): void;
  /** Removes the sessions of a service process that ended or was replaced, because these sessions no longer run. */
  forget(role: ServiceRole): void;
  /** Running sessions of these roles. A session with both sides on this computer counts once. */
  runningCount(roles: readonly ServiceRole[]): number;
}

/** @param onEnded called once for each session, with the side that reported the end first */
export function createSessionWatch(onEnded: (session: SessionSummary, role: ServiceRole) => void): SessionWatch {
  const running = new Map<ServiceRole, Set<string>>();
  const unfinished = new Set<string>();
  const ended = new Set<string>();

  return {
    observe({ role, event }) {
      if (event.domain !== sessionsDomain.name || event.event !== 'changed') return;
      const parsed = sessionsDomain.events.changed.payload.safeParse(event.payload);
      if (!parsed.success) return;
      const session = parsed.data;
      const known = running.get(role) ?? new Set();
      running.set(role, known);
      if (!finalSessionStates.includes(session.state)) {
        // A paused session stays paused when the service stops.
        if (session.state === 'paused') known.delete(session.id);
        else known.add(session.id);
        unfinished.add(session.id);
        return;
      }
      known.delete(session.id);
      const wasRunning = unfinished.delete(session.id);
      if (wasRunning && !ended.has(session.id)) {
        ended.add(session.id);
        onEnded(session, role);
      }
    },
    forget(role) {
      running.delete(role);
    },
    runningCount(roles) {
      return new Set(roles.flatMap((role) => [...(running.get(role) ?? [])])).size;
    },
  };
}
