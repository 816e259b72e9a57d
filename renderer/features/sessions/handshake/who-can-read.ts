// Owns the answer to "Who can read what at this moment?", from the steps so far. Pure.
import {
  hops,
  receiversOf,
  type HandshakeStepName,
  type Lane,
} from '../../../../services/contracts/models/handshake.ts';
import type { HandshakeStep, SessionState } from '../../../../services/contracts/models/session.ts';
import { finalSessionStates } from '../../../../services/contracts/models/session.ts';

export type Reader = Lane | 'anyone';

export interface Reading {
  readonly what: 'nothing' | 'greeting' | 'commands' | 'data' | 'closed' | 'ended';
  readonly canRead: readonly Reader[];
  readonly cannotRead: readonly Reader[];
}

/** Relays and eavesdroppers never hold a key. */
const without: readonly Reader[] = [...hops, 'anyone'];
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
    return { what: 'data', canRead: receiversOf('key-b').toReversed(), cannotRead: without };
  }
  if (isDone('channel-established')) {
    return { what: 'commands', canRead: ['tenant-service', 'provider-service'], cannotRead: without };
  }
  return isDone('gateway-connect') ? { ...nobody, what: 'greeting' } : nobody;
}
