import { expect, it } from 'vitest';
import type { ServiceRole } from '../../../services/contracts/contract.ts';
import type { SupervisedService } from '../../../services/contracts/models/service.ts';
import { decideClose, decideExit, type CloseFacts } from './close-decision.ts';

function service(role: ServiceRole, changes: Partial<SupervisedService> = {}): SupervisedService {
  return {
    ...{ role, state: 'running', origin: 'started', canStartHere: false, reason: null, error: null },
    ...{ pid: 7, restarts: 0, incarnation: 1, listeners: {} },
    ...changes,
  };
}

const facts = (changes: Partial<CloseFacts>): CloseFacts => ({
  services: [service('tenant')],
  runningSessions: 0,
  preference: 'ask',
  canAsk: true,
  ...changes,
});

it.each(['provider', 'gateway'] as const)('asks when the %s service would stop, also without sessions', (role) => {
  const services = [service(role), service('tenant')];
  expect(decideClose(facts({ services }))).toEqual({
    kind: 'ask',
    runningSessions: 0,
    stoppingRoles: [role, 'tenant'],
  });
});

it('ends at once when only an idle tenant would stop, and asks when its sessions run', () => {
  expect(decideClose(facts({}))).toEqual({ kind: 'exit' });
  expect(decideClose(facts({ runningSessions: 2 }))).toMatchObject({ kind: 'ask', runningSessions: 2 });
});

it('ends at once when nothing stops: attached services run on, failed ones do not run', () => {
  const attached = service('provider', { origin: 'attached' });
  expect(decideClose(facts({ services: [attached] }))).toEqual({ kind: 'exit' });
  const failed = service('provider', { state: 'failed', pid: null });
  expect(decideClose(facts({ services: [failed], preference: 'always' }))).toEqual({ kind: 'exit' });
});

it('follows the remembered choice, with and without sessions', () => {
  const services = [service('provider')];
  for (const runningSessions of [0, 1]) {
    expect(decideClose(facts({ services, runningSessions, preference: 'always' }))).toEqual({ kind: 'keep-running' });
    expect(decideClose(facts({ services, runningSessions, preference: 'never' }))).toEqual({ kind: 'exit' });
  }
});

it('keeps a service running when the page cannot ask', () => {
  expect(decideClose(facts({ services: [service('provider')], canAsk: false }))).toEqual({ kind: 'keep-running' });
});

it('asks at Exit too, also when the window would only be hidden', () => {
  const services = [service('provider')];
  expect(decideExit(facts({ services, preference: 'always' }))).toMatchObject({ kind: 'ask' });
  expect(decideExit(facts({ services, preference: 'never' }))).toEqual({ kind: 'exit' });
  expect(decideExit(facts({}))).toEqual({ kind: 'exit' });
});
