// Owns the answer to "Who can read what at this moment?", from the steps so far. Pure.
import type { HandshakeStep, HandshakeStepName, SessionState } from '../../../../services/contracts/models/session.ts';
import { finalSessionStates } from '../../../../services/contracts/models/session.ts';

export type Reader = 'tenant-service' | 'provider-service' | 'source-mover' | 'target-mover' | 'gateway' | 'anyone';

export interface Reading {
  readonly what: 'nothing' | 'greeting' | 'commands' | 'data' | 'closed' | 'ended';
  readonly canRead: readonly Reader[];
  readonly cannotRead: readonly Reader[];
}

const nobody: Reading = { what: 'nothing', canRead: [], cannotRead: [] };

export function whoCanRead(steps: readonly HandshakeStep[], attempt: number, state: SessionState): Reading {
  const isDone = (name: HandshakeStepName): boolean =>
    steps.some((step) => step.attempt === attempt && step.step === name && step.outcome === 'done');
  if (finalSessionStates.includes(state) || state === 'waiting-to-resume' || state === 'paused') {
    // If no key was made, no key was erased either: the connection ended before.
    const hadKey = steps.some(({ step, outcome }) => step === 'key-a-created' && outcome === 'done');
    if (hadKey) return { ...nobody, what: 'ended' };
    return steps.some(({ step, outcome }) => step === 'channel-established' && outcome === 'done')
      ? { ...nobody, what: 'closed' }
      : { ...nobody, what: isDone('gateway-connect') ? 'greeting' : 'nothing' };
  }
  if (isDone('streams-open')) {
    return { what: 'data', canRead: ['source-mover', 'target-mover'], cannotRead: ['gateway', 'anyone'] };
  }
  if (isDone('channel-established')) {
    return { what: 'commands', canRead: ['tenant-service', 'provider-service'], cannotRead: ['gateway', 'anyone'] };
  }
  return isDone('gateway-connect') ? { ...nobody, what: 'greeting' } : nobody;
}
