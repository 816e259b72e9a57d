// Checking the trust in a gateway on request, and accepting a certificate by its thumbprint before the provider is added.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serviceProvidersDomain } from '../../contracts/rpc/service-providers.ts';
import { trustDomain } from '../../contracts/rpc/trust.ts';
import { Stack, stackNames } from '../../testing/site/stack.ts';

describe('trust in a gateway, on request', () => {
  let folder: string;
  let stack: Stack;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'farkeep-trust-check-'));
    stack = await Stack.start({ folder });
  }, 60_000);

  afterAll(async () => {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  it('is checked without a consequence, and given in advance by the right thumbprint only', async () => {
    const trust = stack.tenant.domain(trustDomain);
    const address = stack.addressOf(0);
    const fingerprint = await stack.fingerprint();
    const { head } = await trust.journal({});

    const first = await trust.check(address);
    expect(first).toMatchObject({ decision: 'refused', identity: address.host, certificate: { sha256: fingerprint } });
    expect(first.reasons).toContain('chain.self-signed');
    expect(first.advice).toContain('thumbprint');
    expect(first.tls.version).toBe('TLSv1.3');
    const wrong = `00${fingerprint.slice(2)}`;
    expect((await trust.check({ ...address, fingerprint: wrong })).reasons).toContain('fingerprint.mismatch');
    expect((await trust.check({ ...address, fingerprint })).decision).toBe('pinned');
    await expect(trust.check({ ...address, fingerprint: 'xyz' })).rejects.toMatchObject({
      code: 'trust.thumbprint-malformed',
      field: 'fingerprint',
    });
    await expect(trust.acceptInAdvance({ ...address, fingerprint: wrong })).rejects.toMatchObject({
      code: 'trust.thumbprint-mismatch',
    });
    expect(await trust.listPrompts({})).toEqual({ prompts: [] });
    expect(await trust.listPins({})).toEqual({ pins: [] });
    expect((await trust.journal({})).head).toBe(head);

    expect(await trust.acceptInAdvance({ ...address, fingerprint: fingerprint.toLowerCase() })).toEqual({
      ...{ identity: address.host, sha256: fingerprint },
    });
    expect((await trust.check(address)).decision).toBe('pinned');
    const { entries, head: after } = await trust.journal({});
    expect(entries.at(-1)).toMatchObject({ action: 'accepted', sha256: fingerprint, hash: after });
    // The first contact needs no question: the pin gets the name of the provider.
    const { host, port } = address;
    const { userName, password } = { userName: stackNames.account, password: stackNames.password };
    await stack.tenant.domain(serviceProvidersDomain).add({ name: 'northwind', host, port, userName, password });
    expect((await trust.listPins({})).pins).toMatchObject([{ identity: 'northwind', state: 'current' }]);
    expect(await trust.listPrompts({})).toEqual({ prompts: [] });
  });
});
