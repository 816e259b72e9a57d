// Farkeep must check the same chain that OpenSSL verified, whatever other certificates a peer sends.
import tls from 'node:tls';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  extension,
  keyUsage,
  der,
  type Minted,
  mint,
  mintList,
  newKey,
  oid,
  sequence,
  usage,
} from '../testing/certificates/minted-certificates.ts';
import { lookAtServer, type PresentedCertificates } from './trust/peer-certificates.ts';
import { RevocationChecker } from './trust/revocation.ts';
import { decideTrust, type TrustResult } from './trust/trust.ts';

const root = mint({ subject: 'Root', isAuthority: true });
const issuing = mint({ subject: 'Issuing', isAuthority: true, issuer: root });
const leafBelow = (issuer: Minted, more: object = {}): Minted => mint({ names: ['gw.a.test'], issuer, ...more });
const junkKey = newKey();
const junk = (count: number): Minted[] =>
  Array.from({ length: count }, (_, index) => mint({ subject: `Junk ${index}`, isAuthority: true, key: junkKey }));

async function inspect(
  leaf: Minted,
  sent: readonly Minted[],
  roots: readonly Minted[] = [root],
): Promise<PresentedCertificates> {
  const server = tls.createServer({
    cert: [leaf, ...sent].map(({ certPem }) => certPem).join(''),
    key: leaf.keyPem,
    minVersion: 'TLSv1.3',
    ciphers: 'DEFAULT@SECLEVEL=0',
  });
  server.on('tlsClientError', () => undefined);
  server.on('secureConnection', (socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const extraRoots = roots.map(({ certPem }) => certPem);
    return await lookAtServer({ host: '127.0.0.1', port, serverName: 'gw.a.test', extraRoots });
  } finally {
    server.close();
  }
}

async function decide(presented: PresentedCertificates, ...lists: Buffer[]): Promise<TrustResult> {
  const revocation = await new RevocationChecker({ crlFiles: lists }).check(presented);
  return decideTrust({ ...presented, nameDialed: 'gw.a.test', now: Date.now(), pins: [], revocation });
}

const refusing = ({ findings }: TrustResult): string[] =>
  findings.filter(({ isRefusing }) => isRefusing).map(({ reason }) => reason);
const isSame = (one: Uint8Array | undefined, other: Minted): boolean => one !== undefined && other.certDer.equals(one);

describe('additional certificates beside the chain', () => {
  it.each([0, 15, 16, 17, 100, 200])('%i of them hide no revoked leaf and no revoked authority', async (count) => {
    const leaf = leafBelow(issuing);
    const presented = await inspect(leaf, [...junk(count), issuing]);
    expect(presented).toMatchObject({ isAuthorizedByOpenSsl: true, isChainComplete: true });
    expect(await decide(presented)).toMatchObject({ decision: 'trusted' });
    expect(refusing(await decide(presented, mintList({ issuer: issuing, revoked: [leaf.serial] })))).toEqual([
      'revocation.revoked',
    ]);
    expect(refusing(await decide(presented, mintList({ issuer: root, revoked: [issuing.serial] })))).toEqual([
      'revocation.revoked',
    ]);
  });

  it.each(['secp256k1', 'brainpoolP256r1', 'P-192'])(
    'a weak authority on %s is found in spite of them',
    async (curve) => {
      const weak = mint({ subject: 'Weak', isAuthority: true, issuer: root, key: newKey(curve) });
      const presented = await inspect(leafBelow(weak), [...junk(16), weak]);
      expect(refusing(await decide(presented))).toContain('strength.weak-key');
    },
  );

  it('a repeated root, leaf or authority, and loops, do not change the result', async () => {
    const one = newKey();
    const other = newKey();
    const oneByRoot = mint({ subject: 'One', isAuthority: true, key: one, issuer: root });
    const otherByOne = mint({ subject: 'Other', isAuthority: true, key: other, issuer: oneByRoot });
    const oneByOther = mint({ subject: 'One', isAuthority: true, key: one, issuer: otherByOne });
    const leaf = leafBelow(oneByRoot);
    for (const sent of [
      [oneByRoot, root],
      [leaf, oneByRoot],
      [leaf, leaf, oneByRoot, oneByRoot, root],
      [oneByOther, otherByOne, oneByRoot],
      [root, otherByOne, oneByOther, oneByRoot],
    ]) {
      const presented = await inspect(leaf, sent);
      expect(presented).toMatchObject({ isAuthorizedByOpenSsl: true, isChainComplete: true });
      expect((await decide(presented)).decision).toBe('trusted');
      expect(isSame(presented.chainDer.at(-1), root)).toBe(true);
      const lists = [mintList({ issuer: oneByRoot, revoked: [leaf.serial] })];
      expect(refusing(await decide(presented, ...lists))).toEqual(['revocation.revoked']);
    }
    // A loop of certificates that does not reach the root.
    const lost = await inspect(leaf, [oneByOther, otherByOne]);
    expect(lost).toMatchObject({ isAuthorizedByOpenSsl: false, isChainComplete: false });
    expect((await decide(lost)).decision).toBe('refused');
  });
});

describe('several certificates of one authority, with the same name and key', () => {
  const key = newKey();
  const twin = (more: object = {}): Minted => mint({ subject: 'Twin', isAuthority: true, issuer: root, key, ...more });

  it('an expired one that is sent first does not cause a refusal', async () => {
    const expired = twin({ fromDays: -400, toDays: -100 });
    const early = twin({ fromDays: 3, toDays: 100 });
    const good = twin();
    const leaf = leafBelow(good);
    const presented = await inspect(leaf, [expired, early, good]);
    expect(isSame(presented.chainDer[0], good)).toBe(true);
    expect((await decide(presented)).decision).toBe('trusted');
    expect(refusing(await decide(await inspect(leaf, [expired])))).toEqual(['date.expired']);
  });

  it("the checked one is the one that OpenSSL chose (the test makes all others fail OpenSSL's checks)", async () => {
    const forClientsOnly = extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.2')));
    const kinds = [
      { extensions: [forClientsOnly] },
      { extensions: [forClientsOnly], fromDays: -400, toDays: -100 },
      { fromDays: -400, toDays: -100 },
      {},
      { extensions: [keyUsage(usage.crlSign)] },
      { extensions: [extension('2.5.29.19', sequence(), true)] },
      { extensions: [extension('2.5.29.35', sequence(der(0x80, Buffer.alloc(20, 7))))] },
    ];
    const twins = kinds.map((more) => twin(more));
    const good = twins[3] ?? root;
    const leaf = leafBelow(twin());
    const orders = [
      [3],
      [0, 3],
      [3, 0],
      [1, 2, 3],
      [2, 1, 0, 3],
      [2, 3, 4],
      [4, 3],
      [5, 3],
      [6, 3],
      [3, 6],
      [1, 3, 2],
      [3, 1, 0],
    ];
    let accepted = 0;
    for (const order of orders) {
      const sent = order.flatMap((index) => twins[index] ?? []);
      const presented = await inspect(leaf, sent);
      // OpenSSL skips 1 and 2, because they have expired. With any certificate except 3 it refuses the peer.
      const isGoodFirst = order.find((index) => index !== 1 && index !== 2) === 3;
      expect(presented.isAuthorizedByOpenSsl, String(order)).toBe(isGoodFirst);
      if (isGoodFirst) {
        accepted += 1;
        expect(isSame(presented.chainDer[0], good), String(order)).toBe(true);
      }
      expect((await decide(presented)).decision, String(order)).toBe(isGoodFirst ? 'trusted' : 'refused');
    }
    expect(accepted).toBeGreaterThan(3);
    expect(accepted).toBeLessThan(orders.length);
  });

  it('a misleading key identifier leads to the same chain as in OpenSSL', async () => {
    const good = twin();
    const impostor = mint({ subject: 'Twin', isAuthority: true, issuer: root });
    const leaf = leafBelow(good, { hasKeyIdentifier: true });
    const presented = await inspect(leaf, [impostor, good]);
    expect(isSame(presented.chainDer[0], good)).toBe(true);
    expect((await decide(presented)).decision).toBe('trusted');
    const wrong = mint({ names: ['gw.a.test'], issuer: { ...good, key: impostor.key }, hasKeyIdentifier: true });
    expect((await decide(await inspect(wrong, [good]))).decision).toBe('refused');
    const nameless = await inspect(leafBelow(good), [impostor, good]);
    expect((await decide(nameless)).decision).toBe(nameless.isAuthorizedByOpenSsl ? 'trusted' : 'refused');
  });
});

describe('roots in a chain', () => {
  it('an expired cross-signed root beside the trusted root, and a trusted root whose name has other capitals, are accepted', async () => {
    const key = newKey();
    const old = mint({ subject: 'Old root', isAuthority: true });
    const trusted = mint({ subject: 'New root', isAuthority: true, key });
    const cross = mint({ subject: 'New root', isAuthority: true, key, issuer: old, fromDays: -900, toDays: -30 });
    const authority = mint({ subject: 'Issuing', isAuthority: true, issuer: trusted });
    const presented = await inspect(leafBelow(authority), [authority, cross, old], [trusted]);
    expect((await decide(presented)).decision).toBe('trusted');
    expect(isSame(presented.chainDer.at(-1), trusted)).toBe(true);
    expect(presented.chainDer).toHaveLength(2);

    const capitals = mint({ subject: 'NEW  root', isAuthority: true, key });
    const other = await inspect(leafBelow(authority), [authority], [capitals]);
    expect(other).toMatchObject({ isAuthorizedByOpenSsl: true, isChainComplete: true });
    expect((await decide(other)).decision).toBe('trusted');
  });

  it('a leaf that is itself a root, and an authority from a roots file without its own root, are accepted', async () => {
    const alone = mint({ names: ['gw.a.test'] });
    const presented = await inspect(alone, [], [alone]);
    expect(presented).toMatchObject({ isAuthorizedByOpenSsl: true, isChainComplete: true });
    expect((await decide(presented)).decision).toBe('trusted');
    const orphan = await inspect(leafBelow(issuing), [], [issuing]);
    expect((await decide(orphan)).decision).toBe('refused');
    const both = await inspect(leafBelow(issuing), [], [issuing, root]);
    expect(both).toMatchObject({ isAuthorizedByOpenSsl: true, isChainComplete: true });
    expect((await decide(both)).decision).toBe('trusted');
  });

  it('a chain longer than any real chain is refused, though OpenSSL accepts it', async () => {
    const key = newKey();
    const chainOf = (length: number): Minted[] => {
      const chain = [root];
      for (let index = 1; index < length; index += 1) {
        chain.unshift(mint({ subject: `Level ${index}`, isAuthority: true, key, issuer: chain[0] ?? root }));
      }
      return chain;
    };
    const long = chainOf(20);
    const presented = await inspect(leafBelow(long[0] ?? root), long);
    expect(presented).toMatchObject({ isAuthorizedByOpenSsl: true, isChainComplete: false });
    expect(refusing(await decide(presented))).toEqual(['chain.invalid']);
    const longest = chainOf(16);
    expect((await decide(await inspect(leafBelow(longest[0] ?? root), longest))).decision).toBe('trusted');
  });
});
