import { expect, it } from 'vitest';
import type { GatewayRow } from '../state/gateway-store.ts';
import { checkGateway } from './gateway-doctor.ts';

const row = {
  name: 'gw1',
  enrolledAt: '2026-11-29T14:03:59.999Z',
  isEnabled: true,
  addresses: [{ host: '127.0.0.1', port: 1 }],
} as unknown as GatewayRow;

it('does not say that a certificate covers a name that it does not contain, and writes times for people', async () => {
  const messages = async (names: boolean, covers: boolean): Promise<readonly string[]> =>
    (
      await checkGateway(row, {
        isConnected: true,
        isHere: true,
        provider: { control: { host: '127.0.0.1' }, infrastructure: { host: '127.0.0.1' }, moverHost: '127.0.0.1' },
        identity: { sha256: '11:22', covers: () => covers, names: () => names },
        signal: AbortSignal.timeout(20_000),
      })
    ).map(({ check, outcome, message }) => `${check} ${outcome}: ${message}`);
  const [enrolled, , , , unnamed] = await messages(false, true);
  expect(enrolled).toBe('enrolled ok: Enrolled on 2026-11-29 14:03 UTC');
  expect(unnamed).toMatch(/^name-covered ok: The certificate does not contain the name "127\.0\.0\.1"/);
  expect((await messages(true, true)).at(-1)).toBe('name-covered ok: The certificate covers "127.0.0.1"');
  expect((await messages(false, false)).at(-1)).toMatch(/^name-covered warning/);
});
