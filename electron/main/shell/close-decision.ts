// Owns what happens when the user closes the window or chooses Exit: end, keep running, or ask. Pure: does not use Electron.
import type { ServiceRole } from '../../../services/contracts/contract.ts';
import type { SupervisedService } from '../../../services/contracts/models/service.ts';
import type { Preferences } from '../../../services/contracts/rpc/console.ts';

export interface CloseFacts {
  readonly services: readonly SupervisedService[];
  /** Sessions that an exit would interrupt. */
  readonly runningSessions: number;
  readonly preference: Preferences['keepRunningInTray'];
  /** False when the page that asks has crashed. */
  readonly canAsk: boolean;
}

export type CloseDecision =
  | { readonly kind: 'exit' }
  | { readonly kind: 'keep-running' }
  | { readonly kind: 'ask'; readonly runningSessions: number; readonly stoppingRoles: readonly ServiceRole[] };

/** Roles whose services work for other computers. */
const servingRoles: readonly ServiceRole[] = ['provider', 'gateway'];

/** Roles of the services that an exit stops. An attached service runs on. */
export function rolesThatStop(services: readonly SupervisedService[]): ServiceRole[] {
  return services.filter(({ pid, origin }) => pid !== null && origin === 'started').map(({ role }) => role);
}

export function decideClose({ services, runningSessions, preference, canAsk }: CloseFacts): CloseDecision {
  const stoppingRoles = rolesThatStop(services);
  const isUsed = services.some(({ pid, state }) => pid !== null || state === 'awaited');
  if (preference === 'never' || !isUsed) return { kind: 'exit' };
  if (preference === 'always') return { kind: 'keep-running' };
  const isNeeded = runningSessions > 0 || stoppingRoles.some((role) => servingRoles.includes(role));
  if (!isNeeded) return { kind: 'exit' };
  return canAsk ? { kind: 'ask', runningSessions, stoppingRoles } : { kind: 'keep-running' };
}

/** Exit names the end, so the preference to keep running does not count. */
export function decideExit(facts: CloseFacts): CloseDecision {
  if (!facts.canAsk || facts.preference === 'never') return { kind: 'exit' };
  return decideClose({ ...facts, preference: 'ask' });
}
