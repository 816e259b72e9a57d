// Owns what the shell itself must know of sessions: how many run (for closing), and which just ended (for notifications). Reads the
// events that pass on their way to the renderer; asks nobody. Pure: knows no Electron.
import { sessionsDomain } from '../../../services/contracts/rpc/sessions.ts';
import { finalSessionStates, type SessionSummary } from '../../../services/contracts/models/session.ts';
import type { ServiceRole } from '../../../services/contracts/contract.ts';
import type { SupervisedEvent } from '../services/supervisor.ts';

export interface SessionWatch {
  observe(event: SupervisedEvent): void;
  /** A service process ended or was replaced: what it ran is not running any more. */
  forget(role: ServiceRole): void;
  /** Sessions that would be interrupted now. One that both sides run on this computer counts once. */
  runningCount(): number;
}

/** @param onEnded called once for each session, with the side that told it first */
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
        // What stands still on purpose stays so through a stop.
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
    runningCount() {
      return new Set([...running.values()].flatMap((sessions) => [...sessions])).size;
    },
  };
}
