// Tests each row of the outcome table in docs/certificates.md, section 6: every kind of list from an authority, and every defect of a list.
import { describe, expect, it } from 'vitest';
import {
  der,
  distinguishedName,
  extension,
  generalName,
  keyUsage,
  mint,
  type Minted,
  mintList,
  type MintListOptions,
  newKey,
  oid,
  pem,
  sequence,
  stringTypes,
  usage,
} from '../testing/certificates/minted-certificates.ts';
import { readCrls } from './trust/crl.ts';
import { RevocationChecker } from './trust/revocation.ts';
import { decideTrust, type RevocationAnswer } from './trust/trust.ts';

const url = 'http://lists.test/7.crl';
const pointName = (...names: Buffer[]): Buffer => der(0xa0, der(0xa0, ...names));
/** Certificate extension with the addresses of the revocation lists. */
const point = (...fields: Buffer[]): Buffer => extension('2.5.29.31', sequence(sequence(...fields)));
/** List extension that limits which certificates the list covers. */
const scope = (...fields: Buffer[]): Buffer => extension('2.5.29.28', sequence(...fields), true);
const yes = (tag: number): Buffer => der(tag, Buffer.from([0xff]));
const deltaOf = (number: number): Buffer => extension('2.5.29.27', der(0x02, Buffer.from([number])), true);
const reason = (code: number): Buffer => extension('2.5.29.21', der(0x0a, Buffer.from([code])));
const unknownCritical = extension('1.2.3.4.5', der(0x05), true);

const name = distinguishedName(['O', 'Acme'], ['CN', 'Issuing CA']);
const root = mint({ subject: 'Root', isAuthority: true });
const issuing = mint({ subject: name, isAuthority: true, issuer: root });
const plain = mint({ names: ['gw.a.test'], issuer: issuing });
const pointed = mint({ names: ['gw.a.test'], issuer: issuing, extensions: [point(pointName(generalName.uri(url)))] });

const ask = async (
  leaf: Minted,
  files: readonly (Buffer | string)[],
  { sent = [], isRequired = false }: { sent?: readonly Minted[]; isRequired?: boolean } = {},
): Promise<RevocationAnswer | undefined> =>
  new RevocationChecker({
    crlFiles: files.map((file) => Buffer.from(file)),
    policy: { canFetch: false, isRequired, fetchTimeoutMs: 1000 },
  }).check({
    leafDer: leaf.certDer,
    chainDer: [issuing.certDer, root.certDer],
    othersDer: sent.map(({ certDer }) => certDer),
    isAuthorizedByOpenSsl: true,
  });
const list = (more: Partial<MintListOptions> = {}): Buffer => mintList({ issuer: issuing, ...more });

const good = { status: 'good', isRequired: false, remarks: [] };
const revoked = { status: 'revoked' };
/** Refused, also when the policy accepts certificates with unknown status. */
const refused = { status: 'unknown', isRequired: true };
/** No list covers the certificate: refused only when the policy requires an answer. */
const nothingKnown = { status: 'unknown', isRequired: false };

describe('the coverage of a list', () => {
  const cases: [string, Minted, Buffer[], object, object][] = [
    ['the whole list', plain, [], good, revoked],
    ['the list of its own distribution point', pointed, [scope(pointName(generalName.uri(url)))], good, revoked],
    [
      'its own point, host in capitals',
      pointed,
      [scope(pointName(generalName.uri('HTTP://LISTS.test/7.crl')))],
      good,
      revoked,
    ],
    [
      'one of several names',
      pointed,
      [scope(pointName(generalName.uri('http://b.test/'), generalName.uri(url)))],
      good,
      revoked,
    ],
    ['another point', pointed, [scope(pointName(generalName.uri('http://lists.test/8.crl')))], nothingKnown, revoked],
    [
      'a point, for a certificate that names none',
      plain,
      [scope(pointName(generalName.uri(url)))],
      nothingKnown,
      revoked,
    ],
    ['the point that is named after the issuer', plain, [scope(pointName(generalName.directory(name)))], good, revoked],
    ['servers only', plain, [scope(yes(0x81))], good, revoked],
    ['authorities only', plain, [scope(yes(0x82))], nothingKnown, revoked],
    ['attribute certificates only', plain, [scope(yes(0x85))], nothingKnown, revoked],
    ['all fields false', plain, [scope(der(0x81, Buffer.from([0])), der(0x82, Buffer.from([0])))], good, revoked],
    ['some reasons only', plain, [scope(der(0x83, Buffer.from([5, 0x60])))], refused, revoked],
    ['indirect, of its own issuer', plain, [scope(yes(0x84))], good, revoked],
    ['servers only, of its own point', pointed, [scope(pointName(generalName.uri(url)), yes(0x81))], good, revoked],
    [
      'not critical, of another point',
      pointed,
      [extension('2.5.29.28', sequence(pointName(generalName.uri('x:y'))))],
      nothingKnown,
      revoked,
    ],
  ];
  it.each(cases)('%s', async (_, leaf, extensions, whenClean, whenListed) => {
    expect(await ask(leaf, [list({ extensions })])).toMatchObject(whenClean);
    expect(await ask(leaf, [list({ extensions, revoked: [leaf.serial] })])).toMatchObject(whenListed);
    const strict = await ask(leaf, [list({ extensions })], { isRequired: true });
    expect(strict?.status === 'good').toBe(whenClean === good);
  });

  it("a name part below the issuer's name means the same address in certificate and list", async () => {
    const below = der(0xa0, der(0xa1, sequence(oid('2.5.4.3'), der(stringTypes.utf8, Buffer.from('List 1')))));
    const leaf = mint({ issuer: issuing, extensions: [point(below)] });
    const extensions = [scope(below)];
    expect(await ask(leaf, [list({ extensions })])).toMatchObject(good);
    const full = pointName(
      generalName.directory(distinguishedName(['O', 'ACME'], ['CN', 'issuing ca'], ['CN', 'list 1'])),
    );
    expect(await ask(leaf, [list({ extensions: [scope(full)] })])).toMatchObject(good);
  });

  it('several lists together cover all reasons', async () => {
    const some = (bits: number): Buffer =>
      list({ extensions: [scope(der(0x83, Buffer.from([0, ...reasonBytes(bits)])))] });
    const keyReasons = 0b0110_0000_0000_0000;
    expect(await ask(plain, [some(keyReasons)])).toMatchObject(refused);
    expect(await ask(plain, [some(keyReasons), some(0xffff ^ keyReasons)])).toMatchObject(good);
  });

  it('each entry of an indirect list has its own issuer', async () => {
    const keeper = mint({ subject: 'List keeper', issuer: root, extensions: [keyUsage(usage.crlSign)] });
    const toKeeper = der(0xa2, generalName.directory(keeper.name));
    const leaf = mint({ issuer: issuing, extensions: [point(pointName(generalName.uri(url)), toKeeper)] });
    const of = (authority: Minted): Buffer =>
      extension('2.5.29.29', sequence(generalName.directory(authority.name)), true);
    const kept = (issuer: Minted, isIndirect = true): Buffer =>
      mintList({
        issuer: keeper,
        extensions: [scope(pointName(generalName.uri(url)), ...(isIndirect ? [yes(0x84)] : []))],
        revoked: [
          { serial: '11', extensions: [] },
          { serial: '22', extensions: [of(issuer)] },
          // Later entries without an issuer belong to the issuer of the entry before.
          leaf.serial,
        ],
      });
    const files = (issuer: Minted, isIndirect?: boolean): string[] => [
      pem(kept(issuer, isIndirect), 'X509 CRL') + keeper.certPem,
    ];
    expect(await ask(leaf, files(issuing))).toMatchObject(revoked);
    expect(await ask(leaf, files(root))).toMatchObject(good);
    expect(await ask(leaf, files(root, false))).toMatchObject(nothingKnown);
    // The issuer's own list does not cover this certificate, but a revocation in it still counts.
    expect(await ask(leaf, [list()])).toMatchObject(nothingKnown);
    expect(await ask(leaf, [list({ revoked: [leaf.serial] })])).toMatchObject(revoked);
  });
});

function reasonBytes(bits: number): [number, number] {
  return [bits >> 8, bits & 0xff];
}

describe('the name of the issuer', () => {
  it.each([
    ['other capitals', distinguishedName(['O', 'ACME'], ['CN', 'issuing ca'])],
    ['other blanks', distinguishedName(['O', ' Acme '], ['CN', 'Issuing   CA'])],
    ['PrintableString', distinguishedName(['O', 'Acme', 'printable'], ['CN', 'Issuing CA', 'printable'])],
    ['BMPString', distinguishedName(['O', 'Acme', 'bmp'], ['CN', 'Issuing CA', 'bmp'])],
    ['T61String', distinguishedName(['O', 'Acme', 'teletex'], ['CN', 'Issuing CA', 'teletex'])],
    ['IA5String', distinguishedName(['O', 'Acme', 'ia5'], ['CN', 'Issuing CA', 'ia5'])],
  ])('%s is the same name', async (_, other) => {
    expect(await ask(plain, [list({ name: other, revoked: [plain.serial] })])).toMatchObject(revoked);
    expect(await ask(plain, [list({ name: other })])).toMatchObject(good);
  });

  it.each([
    ['another value', distinguishedName(['O', 'Acme'], ['CN', 'Issuing CA 2'])],
    ['another order', distinguishedName(['CN', 'Issuing CA'], ['O', 'Acme'])],
    ['a part less', distinguishedName(['CN', 'Issuing CA'])],
  ])('%s is another name', async (_, other) => {
    expect(await ask(plain, [list({ name: other, revoked: [plain.serial] })])).toMatchObject(nothingKnown);
  });
});

describe('serial numbers and entries', () => {
  const numbered = (serial: string): Minted => mint({ issuer: issuing, serial });

  it.each([
    ['00ff', 'ff', false],
    ['00ff', '00ff', true],
    ['ff', 'ff', true],
    ['7f', '007f', true],
    ['00ff', '0000ff', true],
    ['80', '0080', false],
    ['01', 'ff01', false],
    ['4d01', '01', false],
    ['4d01', '4d014d01', false],
  ])('certificate %s, entry %s: %s', async (serial, entry, isListed) => {
    expect(await ask(numbered(serial), [list({ revoked: [entry] })])).toMatchObject(isListed ? revoked : good);
  });

  it('an entry "removed from list" does not revoke; "on hold" does', async () => {
    const entry = (code: number): object => ({ revoked: [{ serial: plain.serial, extensions: [reason(code)] }] });
    expect(await ask(plain, [list(entry(8))])).toMatchObject(good);
    for (const code of [0, 1, 2, 3, 4, 5, 6, 9, 10])
      expect(await ask(plain, [list(entry(code))])).toMatchObject(revoked);
  });

  it('a delta list revokes, ends the hold of an older list, and is not an answer without a complete list', async () => {
    const delta = (more: Partial<MintListOptions> = {}): Buffer =>
      list({ number: 5, ...more, extensions: [deltaOf(3)] });
    const lifting = { revoked: [{ serial: plain.serial, extensions: [reason(8)] }] };
    const held = { revoked: [{ serial: plain.serial, extensions: [reason(6)] }] };
    const lost = { revoked: [{ serial: plain.serial, extensions: [reason(1)] }] };
    expect(await ask(plain, [delta()])).toMatchObject(refused);
    expect(await ask(plain, [delta(lifting)])).toMatchObject(refused);
    expect(await ask(plain, [delta({ revoked: [plain.serial] })])).toMatchObject(revoked);
    expect(await ask(plain, [list({ number: 3 }), delta()])).toMatchObject(good);
    expect(await ask(plain, [list({ number: 3 }), delta({ revoked: [plain.serial] })])).toMatchObject(revoked);
    expect(await ask(plain, [list({ number: 3, ...held }), delta(lifting)])).toMatchObject(good);
    expect(await ask(plain, [list({ number: 3, ...held }), delta()])).toMatchObject(revoked);
    expect(await ask(plain, [list({ number: 3, ...lost }), delta(lifting)])).toMatchObject(revoked);
    // A delta list for a later complete list, and a delta list older than the complete list.
    expect(await ask(plain, [list({ number: 2, ...held }), delta(lifting)])).toMatchObject(revoked);
    expect(await ask(plain, [list({ number: 6, ...held }), delta(lifting)])).toMatchObject(revoked);
  });
});

describe('lists that must not be used', () => {
  const impostor = mint({ subject: name, isAuthority: true });
  const defects: [string, Partial<MintListOptions>, object][] = [
    ['an unknown critical extension', { extensions: [unknownCritical] }, refused],
    [
      'an unknown critical extension of an entry',
      { revoked: [{ serial: '11', extensions: [unknownCritical] }] },
      refused,
    ],
    ['the signature of another key', { issuer: impostor }, refused],
    ['a weak signature', { digest: 'sha1' }, refused],
    ['an end that has passed', { fromDays: -20, toDays: -3 }, refused],
    ['a beginning to come', { fromDays: 2, toDays: 9 }, refused],
  ];
  it.each(defects)(
    '%s refuses the certificate, also when the policy requires no answer',
    async (_, defect, expected) => {
      expect(await ask(plain, [list(defect)])).toMatchObject(expected);
      const listed = { ...defect, revoked: [...(defect.revoked ?? []), plain.serial] };
      expect((await ask(plain, [list(listed)]))?.status).not.toBe('good');
    },
  );

  it.each(defects)(
    '%s: another usable list answers, and the defect is reported unless the list is only old',
    async (_, defect) => {
      const answer = await ask(plain, [list(defect), list()]);
      expect(answer).toMatchObject({ status: 'good', isRequired: false });
      expect(answer?.remarks).toHaveLength(defect.toDays === -3 ? 0 : 1);
      expect(await ask(plain, [list(defect), list({ revoked: [plain.serial] })])).toMatchObject(revoked);
    },
  );

  it('an unknown critical extension refuses each listed certificate, whatever another list says', async () => {
    const listed = list({ extensions: [unknownCritical], revoked: [plain.serial] });
    expect(await ask(plain, [list(), listed])).toMatchObject(refused);
  });

  it('an unusable list that names the certificate refuses it also when the certificate is pinned or its issuer was not sent', async () => {
    const pins = [{ certificateDer: plain.certDer, state: 'current' as const }];
    const decide = (revocation: RevocationAnswer | undefined): string =>
      decideTrust({
        leafDer: plain.certDer,
        chainDer: [],
        isChainComplete: false,
        nameDialed: 'gw.a.test',
        isAuthorizedByOpenSsl: false,
        authorizationError: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
        now: Date.now(),
        pins,
        revocation,
      }).decision;
    const named = { revoked: [plain.serial] };
    expect(decide(await ask(plain, [list()]))).toBe('pinned');
    for (const [, defect] of defects) {
      const answer = await ask(plain, [list({ ...defect, revoked: [...(defect.revoked ?? []), plain.serial] })]);
      expect(decide(answer)).toBe('refused');
      expect(decide(await ask(plain, [list(defect)]))).toBe('pinned');
    }
    // An attacker sends the issuer's key in a self-made certificate that may not sign lists, or sends no issuer.
    const unfit = mint({ subject: name, key: issuing.key, extensions: [keyUsage(usage.certSign)] });
    const hiding = (chain: Minted[], ...files: Buffer[]): Promise<RevocationAnswer | undefined> =>
      new RevocationChecker({ crlFiles: files }).check({
        leafDer: plain.certDer,
        chainDer: chain.map(({ certDer }) => certDer),
        isAuthorizedByOpenSsl: false,
      });
    for (const chain of [[], [unfit]]) {
      expect(decide(await hiding(chain, list(named)))).toBe('refused');
      expect(decide(await hiding(chain, list()))).toBe('pinned');
    }
  });

  it('a revocation counts also in a list that has expired or is not yet valid', async () => {
    for (const when of [
      { fromDays: -20, toDays: -3 },
      { fromDays: 2, toDays: 9 },
    ]) {
      expect(await ask(plain, [list({ ...when, revoked: [plain.serial] })])).toMatchObject(revoked);
    }
  });

  it('a defective list about an intermediate authority refuses the certificate, and a missing list does not', async () => {
    expect(await ask(plain, [list(), mintList({ issuer: root })])).toMatchObject(good);
    expect(await ask(plain, [list(), mintList({ issuer: root, extensions: [unknownCritical] })])).toMatchObject(
      refused,
    );
    expect(await ask(plain, [list(), mintList({ issuer: root, revoked: [issuing.serial] })])).toMatchObject(revoked);
    expect(await ask(plain, [list(), mintList({ issuer: root, extensions: [scope(yes(0x81))] })])).toMatchObject(good);
  });

  it('a list of another authority counts as no list', async () => {
    expect(await ask(plain, [mintList({ issuer: mint({ subject: 'Other', isAuthority: true }) })])).toMatchObject(
      nothingKnown,
    );
  });
});

describe('a list signed by another key of the same authority', () => {
  const renewed = mint({ subject: name, isAuthority: true, issuer: root });
  const separate = mint({ subject: name, issuer: root, extensions: [keyUsage(usage.crlSign)] });
  const own = mint({ subject: name, issuer: issuing, extensions: [keyUsage(usage.crlSign)] });

  it.each([
    ['its renewed key', renewed],
    ['a key for lists from the authority above', separate],
    ['a key for lists from itself', own],
  ])('counts when the certificate of %s was sent or is in the file', async (_, signer) => {
    const bytes = mintList({ issuer: signer, name, revoked: [plain.serial] });
    const clean = mintList({ issuer: signer, name });
    expect(await ask(plain, [bytes])).toMatchObject(refused);
    expect(await ask(plain, [bytes], { sent: [signer] })).toMatchObject(revoked);
    expect(await ask(plain, [clean], { sent: [signer] })).toMatchObject(good);
    expect(await ask(plain, [pem(bytes, 'X509 CRL') + signer.certPem])).toMatchObject(revoked);
    expect(await ask(plain, [signer.certPem + pem(clean, 'X509 CRL')])).toMatchObject(good);
  });

  it.each<[string, Minted]>([
    ['a key that may sign no lists', mint({ subject: name, issuer: root, extensions: [keyUsage(usage.certSign)] })],
    ['a key without usage', mint({ subject: name, issuer: { ...issuing, key: newKey() } })],
    ['its certificate is over', mint({ subject: name, isAuthority: true, issuer: root, fromDays: -9, toDays: -2 })],
    ['another root', mint({ subject: name, isAuthority: true, issuer: mint({ subject: 'Root', isAuthority: true }) })],
    [
      'another authority below the same root',
      mint({ subject: name, isAuthority: true, issuer: mint({ subject: 'Sister', isAuthority: true, issuer: root }) }),
    ],
    ['another name', mint({ subject: 'Sister', isAuthority: true, issuer: root })],
    ['a weak key', mint({ subject: name, isAuthority: true, issuer: root, key: newKey('P-192') })],
    ['itself', mint({ subject: name, isAuthority: true })],
  ])('%s does not', async (_, signer) => {
    const bytes = mintList({ issuer: signer, name });
    expect(await ask(plain, [pem(bytes, 'X509 CRL') + signer.certPem])).toMatchObject(refused);
  });

  it('does not count when that key was revoked', async () => {
    const bytes = pem(mintList({ issuer: separate, name }), 'X509 CRL') + separate.certPem;
    expect(await ask(plain, [bytes, mintList({ issuer: root })])).toMatchObject(good);
    expect(await ask(plain, [bytes, mintList({ issuer: root, revoked: [separate.serial] })])).toMatchObject(refused);
  });
});

describe('files with revocation lists', () => {
  const one = list();
  const two = list({ revoked: [plain.serial] });

  it('hold one list or several, in DER or PEM, with other text around them', async () => {
    for (const file of [
      Buffer.concat([one, two]),
      Buffer.concat([one, two, Buffer.from('\r\n')]),
      pem(one, 'X509 CRL') + pem(two, 'X509 CRL'),
      `0 is how this comment begins\n${pem(one, 'X509 CRL')}\nmore\n${pem(two, 'X509 CRL')}`,
      pem(two, 'X509 CRL').replaceAll('\n', '\r\n'),
    ]) {
      expect(await ask(plain, [file])).toMatchObject(revoked);
    }
    expect(await ask(plain, [one, pem(two, 'X509 CRL')])).toMatchObject(revoked);
  });

  it('that are cut off or hold other data are refused, not read in part', () => {
    for (const file of [
      Buffer.concat([one, two.subarray(0, -1)]),
      Buffer.concat([one, Buffer.from('0500', 'hex')]),
      Buffer.from(pem(one, 'X509 CRL') + pem(two, 'X509 CRL').slice(0, -20)),
      Buffer.from(pem(one, 'X509 CRL') + pem(two.subarray(0, -9), 'X509 CRL')),
    ]) {
      expect(() => readCrls(file)).toThrow(expect.objectContaining({ code: 'certificate.malformed' }));
    }
  });

  it('with many entries are read and searched within the time limit', async () => {
    const serials = Array.from({ length: 60_000 }, (_, index) => `40${index.toString(16).padStart(8, '0')}`);
    const long = list({ revoked: [...serials, plain.serial] });
    const before = process.cpuUsage();
    expect(await ask(plain, [long])).toMatchObject(revoked);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(3000);
  });
});
