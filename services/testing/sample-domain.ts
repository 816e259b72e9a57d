// Owns a small domain for tests of dispatcher and carriers, so that these tests do not depend on a role.
import { z } from 'zod';
import { defineDomain, type DomainHandlers } from '../contracts/contract.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';

export const sampleDomain = defineDomain({
  name: 'sample',
  targets: ['provider'],
  commands: {
    add: { input: z.object({ left: z.number(), right: z.number().default(1) }), output: z.object({ sum: z.number() }) },
    login: { input: z.object({ password: z.string().min(8) }), output: z.object({}) },
    /** Ends when it is canceled. */
    wait: { input: z.object({}), output: z.object({}) },
    /** Never ends and ignores its signal. */
    hang: { input: z.object({}), output: z.object({}) },
    refuse: { input: z.object({}), output: z.object({}) },
    crash: { input: z.object({}), output: z.object({}) },
    leak: { input: z.object({}), output: z.object({ name: z.string() }) },
    lie: { input: z.object({}), output: z.object({ count: z.number() }) },
    big: { input: z.object({ sizeBytes: z.int() }), output: z.object({ text: z.string() }) },
  },
  events: { counted: { payload: z.object({ count: z.number() }) } },
});

export function createSampleHandlers({ onWaiting = () => undefined }: { onWaiting?: () => void } = {}): DomainHandlers<
  typeof sampleDomain
> {
  return {
    add: ({ left, right }) => ({ sum: left + right }),
    login: () => ({}),
    wait: (_input, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        onWaiting();
      }),
    hang: () => new Promise(() => onWaiting()),
    refuse: () => {
      throw new FarkeepError('call.conflict', 'The name "a" is taken', { field: 'name', hint: 'Choose another.' });
    },
    crash: () => {
      throw new TypeError('undefined is not a backup');
    },
    leak: () => ({ name: 'x', password: 'hunter22' }) as { name: string },
    lie: () => ({ count: 'many' as unknown as number }),
    big: ({ sizeBytes }) => ({ text: 'x'.repeat(sizeBytes) }),
  };
}
