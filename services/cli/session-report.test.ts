import { describe, expect, it } from 'vitest';
import type { HandshakeStep } from '../contracts/models/session.ts';
import { inOrder } from './session-report.ts';

const step = (attempt: number, name: HandshakeStep['step']): HandshakeStep => ({
  step: name,
  attempt,
  outcome: 'done',
  at: '2026-11-20T08:00:00.000Z',
  durationMs: 1,
  detail: '',
  keyIdentifier: null,
});

describe('the steps of a session', () => {
  it('are listed by attempt and in the order of the protocol, however they arrived', () => {
    const arrived = [step(2, 'login'), step(1, 'streams-open'), step(2, 'gateway-connect'), step(1, 'key-b-to-source')];
    expect(inOrder(arrived).map(({ attempt, step: name }) => `${attempt} ${name}`)).toEqual([
      '1 key-b-to-source',
      '1 streams-open',
      '2 gateway-connect',
      '2 login',
    ]);
  });
});
