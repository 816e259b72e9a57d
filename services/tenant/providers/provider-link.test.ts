// The answers to the greeting that the tenant accepts on a new connection to a provider.
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../kernel/clock.ts';
import { silentLogger } from '../../kernel/logger.ts';
import { makeSelfSigned, type FixtureIdentity } from '../../testing/certificates/certificate-fixture.ts';
import { controlFixture } from '../../testing/site/control-fixture.ts';
import { openLink, type LinkOptions, type ProviderLink } from './provider-link.ts';

let identity: FixtureIdentity;
beforeAll(async () => {
  identity = await makeSelfSigned('provider');
});

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});
const { startServer } = controlFixture(cleanUps, () => identity);

/** A connection to a provider that greets with the given answer. Every certificate is accepted. */
async function linkTo(answer: Record<string, unknown>): Promise<ProviderLink> {
  const { server } = await startServer({
    onConnection: ({ peer }) =>
      peer.onRequest(() => Promise.resolve({ software: 'test', features: [], providerName: 'northwind', ...answer })),
  });
  const accepted = { error: null, prompt: null, result: { decision: 'pinned', reasons: [] } };
  return openLink({
    gateway: { name: 'gw0', host: '127.0.0.1', port: server.port },
    trustPrompts: { judge: () => accepted } as unknown as LinkOptions['trustPrompts'],
    rules: {
      roots: () => Promise.resolve([]),
      revocation: () => Promise.resolve(undefined),
    },
    identity: 'northwind',
    waitingJob: null,
    addressOf: (host) => host,
    timeoutMs: 5_000,
    software: 'test',
    clock: systemClock,
    logger: silentLogger,
    signal: new AbortController().signal,
  });
}

describe('the greeting of a provider', () => {
  it('is accepted in the version that both sides use', async () => {
    const { channel, hello } = await linkTo({ protocol: 1 });
    expect(hello.providerName).toBe('northwind');
    await channel.peer.close();
  });

  it('with another version ends the connection and gives the reason', async () => {
    await expect(linkTo({ protocol: 2 })).rejects.toMatchObject({ code: 'protocol.version' });
  });

  it('with an unknown required feature ends the connection and names the feature', async () => {
    const features = [{ name: 'time-travel', isRequired: true }];
    await expect(linkTo({ protocol: 1, features })).rejects.toMatchObject({
      code: 'protocol.feature',
      message: expect.stringContaining('time-travel'),
    });
  });
});
