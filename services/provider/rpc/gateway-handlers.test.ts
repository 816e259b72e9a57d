// The gateways domain of the provider: tokens, switching off, removal.
import { beforeEach, describe, expect, it } from 'vitest';
import type { DomainClient } from '../../contracts/contract.ts';
import type { ProviderAddresses } from '../../contracts/address-reach.ts';
import { gatewaysDomain } from '../../contracts/rpc/gateways.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { adminAtCommandLine, callHandlers, refusalOf, standIn } from '../../testing/handler-calls.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { openProviderInMemory } from '../../testing/provider-in-memory.ts';
import type { RecordedAudit } from '../../testing/recorded-audit.ts';
import type { RecordedEvents } from '../../testing/recorded-events.ts';
import { hashEnrollmentSecret, parseEnrollmentToken } from '../../transport/enrollment-token.ts';
import type { GatewayLinkServer } from '../../transport/gateway-link-server.ts';
import type { ProviderIdentity } from '../certificates/provider-identity.ts';
import type { Gateways } from '../gateways/gateways.ts';
import { gatewayHandlers } from './gateway-handlers.ts';

const start = Date.parse('2027-03-01T12:00:00.000Z');
const [minuteMs, dayMs] = [60_000, 86_400_000];
const addresses = [{ host: 'gw1.test', port: 6180 }];
const missing = 'f'.repeat(32);
const reachable: ProviderAddresses = {
  control: { host: '10.0.0.5' },
  infrastructure: { host: '0.0.0.0' },
  infrastructureAddress: 'provider.test',
  moverHost: '10.0.0.5',
};
const defaults: ProviderAddresses = {
  control: { host: '127.0.0.1' },
  infrastructure: { host: '0.0.0.0' },
  moverHost: '127.0.0.1',
};
const infrastructure = { host: 'provider.test', port: () => 6169, sha256: 'ab'.repeat(32) };

describe('the gateways of a provider', () => {
  let gateways: Gateways;
  let events: RecordedEvents;
  let audit: RecordedAudit;
  /** Links that were ended, with the reason and whether the gateway was let in at that moment. */
  let ended: string[];
  let linkFailure: FarkeepError | undefined;
  let addressesOfProvider: ProviderAddresses;
  let calls: DomainClient<typeof gatewaysDomain>;

  const open = async (provider: ProviderAddresses): Promise<void> => {
    addressesOfProvider = provider;
    const clock = new ManualClock(start);
    ({ gateways, events, audit } = await openProviderInMemory(clock));
    ended = [];
    linkFailure = undefined;
    const links = standIn<GatewayLinkServer>({
      disconnect: async (gatewayId, { code }) => {
        ended.push(`${code}, ${gateways.find(gatewayId)?.isEnabled === true ? 'still let in' : 'not let in'}`);
        if (linkFailure !== undefined) throw linkFailure;
      },
    });
    const handlers = gatewayHandlers({
      gateways,
      identity: standIn<ProviderIdentity>({
        sha256: '11:22',
        covers: (host) => host === 'gw1.test',
        names: (host) => host === 'gw1.test',
      }),
      links: () => links,
      infrastructure,
      provider: addressesOfProvider,
      clock,
      audit: audit.log,
      publish: events.publish,
    });
    calls = callHandlers(gatewaysDomain, handlers);
  };
  beforeEach(() => open(reachable));

  const addGateway = async (name = 'gw1'): Promise<string> => {
    const { gateway } = await calls.createEnrollToken({ name, addresses });
    await gateways.setCertificate(gateway.id, `certificate of ${name}`);
    audit.entries.length = 0;
    events.all.length = 0;
    return gateway.id;
  };

  it('makes a gateway with a token that names this provider and works once', async () => {
    const { gateway, token, expiresAt } = await calls.createEnrollToken({ name: 'gw1', addresses });
    expect(gateway).toMatchObject({ name: 'gw1', addresses, state: 'waiting-for-enrollment' });
    expect(expiresAt).toBe(new Date(start + dayMs).toISOString());
    const parsed = parseEnrollmentToken(token);
    expect(parsed).toMatchObject({
      host: 'provider.test',
      port: 6169,
      fingerprint: infrastructure.sha256,
      expiresAtMs: start + dayMs,
    });
    expect(events.of(gatewaysDomain, 'changed')).toEqual([gateway]);
    expect(audit.lines).toEqual([`${adminAtCommandLine}: gateway.enroll-token gw1`]);
    expect(JSON.stringify(audit.entries)).not.toContain(parsed.secret);
    const hash = hashEnrollmentSecret(parsed.secret);
    expect(await gateways.redeemToken(hash)).toMatchObject({ id: gateway.id });
    await expect(gateways.redeemToken(hash)).rejects.toMatchObject({ code: 'gateway.token-invalid' });
  });

  it('replaces the token and the addresses of a gateway that has not enrolled', async () => {
    const first = await calls.createEnrollToken({ name: 'gw1', addresses });
    const moved = [{ host: 'other.test', port: 443 }];
    const second = await calls.createEnrollToken({ name: 'GW1', addresses: moved, validMs: minuteMs });
    expect(second.gateway).toMatchObject({ id: first.gateway.id, addresses: moved, isCoveredByCertificate: false });
    expect(second.expiresAt).toBe(new Date(start + minuteMs).toISOString());
    const hashOf = (token: string): string => hashEnrollmentSecret(parseEnrollmentToken(token).secret);
    await expect(gateways.redeemToken(hashOf(first.token))).rejects.toMatchObject({ code: 'gateway.token-invalid' });
    expect((await calls.list({})).gateways).toHaveLength(1);
  });

  it('refuses a token for another computer while no other computer can reach this provider', async () => {
    await open(defaults);
    const refusal = await refusalOf(calls.createEnrollToken({ name: 'gw1', addresses }));
    expect(refusal).toMatchObject({
      code: 'gateway.provider-not-reachable',
      field: 'infrastructureAddress',
      details: { settings: ['infrastructureAddress', 'control.host', 'moverHost'] },
    });
    expect(refusal.message).toContain('would name 127.0.0.1');
    expect((await calls.list({})).gateways).toEqual([]);
    expect(audit.lines).toEqual([]);
  });

  it('makes a token for a gateway on this computer: by its addresses, or because the admin says so', async () => {
    await open(defaults);
    await calls.createEnrollToken({ name: 'gw1', addresses: [{ host: '127.0.0.3', port: 1 }] });
    await calls.createEnrollToken({ name: 'gw2', addresses, isOnThisComputer: true });
    expect((await calls.list({})).gateways).toHaveLength(2);
  });

  it('renames a gateway and changes its addresses; the coverage follows', async () => {
    const gatewayId = await addGateway();
    const moved = [
      { host: 'elsewhere.test', port: 443 },
      { host: 'elsewhere.test', port: 6180 },
    ];
    const changed = await calls.set({ gatewayId, name: 'Berlin', addresses: moved });
    expect(changed).toMatchObject({ id: gatewayId, name: 'Berlin', addresses: moved, isCoveredByCertificate: false });
    expect(await calls.set({ gatewayId, addresses })).toMatchObject({ name: 'Berlin', isCoveredByCertificate: true });
    expect(events.of(gatewaysDomain, 'changed').map(({ isCoveredByCertificate }) => isCoveredByCertificate)).toEqual([
      false,
      true,
    ]);
    expect(audit.lines).toEqual([
      `${adminAtCommandLine}: gateway.set Berlin`,
      `${adminAtCommandLine}: gateway.set Berlin`,
    ]);
    expect(gateways.identify('certificate of gw1')).toMatchObject({ name: 'Berlin' });
  });

  it('refuses the name of another gateway, and takes a new spelling of its own', async () => {
    const gatewayId = await addGateway('first');
    await addGateway('second');
    expect(await refusalOf(calls.set({ gatewayId, name: 'SECOND' }))).toMatchObject({
      code: 'call.conflict',
      field: 'name',
    });
    expect(await calls.set({ gatewayId, name: 'FIRST' })).toMatchObject({ name: 'FIRST' });
  });

  it('makes a new token for an enrolled gateway, which stays enrolled until the token is used', async () => {
    const gatewayId = await addGateway();
    const { token, gateway } = await calls.renewEnrollToken({ gatewayId });
    expect(gateway).toMatchObject({ id: gatewayId, state: 'disconnected' });
    expect(gateways.identify('certificate of gw1')).toBeDefined();
    expect(await gateways.redeemToken(hashEnrollmentSecret(parseEnrollmentToken(token).secret))).toMatchObject({
      id: gatewayId,
    });
    await gateways.setCertificate(gatewayId, 'new certificate');
    expect(gateways.identify('certificate of gw1')).toBeUndefined();
    expect((await calls.list({})).gateways).toHaveLength(1);
  });

  it('lists the gateways by name, and says which the certificate covers', async () => {
    await addGateway('second');
    await addGateway('First');
    await gateways.create('third', [{ host: 'elsewhere.test', port: 1 }], 'hash', '2999-01-01T00:00:00.000Z');
    expect((await calls.list({})).gateways).toMatchObject([
      { name: 'First', isCoveredByCertificate: true },
      { name: 'second', isCoveredByCertificate: true },
      { name: 'third', isCoveredByCertificate: false },
    ]);
  });

  it('disables a gateway before it ends its link, and enables it without touching a link', async () => {
    const gatewayId = await addGateway();
    const disabled = await calls.setEnabled({ gatewayId, isEnabled: false });
    expect(disabled).toMatchObject({ state: 'disabled', isEnabled: false });
    expect(ended).toEqual(['call.refused, not let in']);
    const enabled = await calls.setEnabled({ gatewayId, isEnabled: true });
    expect(enabled).toMatchObject({ state: 'disconnected', isEnabled: true });
    expect(ended).toHaveLength(1);
    expect(events.of(gatewaysDomain, 'changed')).toEqual([disabled, enabled]);
    expect(audit.lines).toEqual([
      `${adminAtCommandLine}: gateway.disable gw1`,
      `${adminAtCommandLine}: gateway.enable gw1`,
    ]);
  });

  it('removes a gateway before it ends its link', async () => {
    const gatewayId = await addGateway();
    expect(await calls.remove({ gatewayId })).toEqual({});
    expect(ended).toEqual(['gateway.not-enrolled, not let in']);
    expect((await calls.list({})).gateways).toEqual([]);
    expect(events.all).toEqual([{ domain: 'gateways', event: 'removed', payload: { gatewayId } }]);
    expect(audit.lines).toEqual([`${adminAtCommandLine}: gateway.remove gw1`]);
  });

  it('lets a disabled gateway not in again when its link does not end, and has recorded who disabled it', async () => {
    const gatewayId = await addGateway();
    linkFailure = new FarkeepError('connection.lost');
    expect(await refusalOf(calls.setEnabled({ gatewayId, isEnabled: false }))).toMatchObject({
      code: 'connection.lost',
    });
    expect(gateways.identify('certificate of gw1')).toBeUndefined();
    expect(audit.lines).toEqual([`${adminAtCommandLine}: gateway.disable gw1`]);
  });

  it('checks each gateway', async () => {
    const { id } = await gateways.create('gw1', [], 'hash', '2999-01-01T00:00:00.000Z');
    expect(await calls.doctor({})).toMatchObject({
      checks: [
        { gateway: 'gw1', check: 'enrolled', outcome: 'failed' },
        { gateway: 'gw1', check: 'link', outcome: 'failed' },
      ],
    });
    await gateways.setCertificate(id, 'certificate');
    gateways.noteConnected(id, '192.0.2.1');
    expect(await calls.doctor({})).toMatchObject({
      checks: [
        { check: 'enrolled', outcome: 'ok' },
        { check: 'link', outcome: 'ok' },
      ],
    });
  });

  it('names the settings with which no other computer reaches this provider, for a gateway on another computer', async () => {
    await open(defaults);
    const { id } = await gateways.create(
      'gw1',
      [{ host: '255.255.255.255', port: 1 }],
      'hash',
      '2999-01-01T00:00:00.000Z',
    );
    gateways.noteConnected(id, '192.0.2.7');
    const reachChecks = async (): Promise<string[]> => {
      const { checks } = await calls.doctor({});
      return checks.flatMap(({ check, message, outcome }) =>
        check === 'provider-address' ? [`${outcome}: ${message}`] : [],
      );
    };
    expect(await reachChecks()).toEqual([
      'failed: No other computer can reach this provider: the setting "infrastructureAddress" is missing, so the token would name 127.0.0.1',
      'failed: No other computer can reach this provider: the setting "control.host" is 127.0.0.1, which only this computer can reach',
      'failed: No other computer can reach this provider: the setting "moverHost" is 127.0.0.1, which only this computer can reach',
    ]);
    gateways.noteConnected(id, '127.0.0.1');
    expect(await reachChecks()).toEqual([]);
  });

  describe('refuses, and then nothing has changed:', () => {
    beforeEach(async () => {
      await addGateway();
    });
    const token = (changes: object): Promise<unknown> =>
      calls.createEnrollToken({ name: 'gw2', addresses, ...changes });
    it.each<[string, () => Promise<unknown>, string, string | undefined]>([
      ['the name of an enrolled gateway', () => token({ name: 'GW1' }), 'call.conflict', 'name'],
      ['a gateway without an address', () => token({ addresses: [] }), 'call.invalid', 'addresses'],
      ['17 addresses', () => token({ addresses: Array(17).fill(addresses[0]) }), 'call.invalid', 'addresses'],
      ['port 0', () => token({ addresses: [{ host: 'a', port: 0 }] }), 'call.invalid', 'addresses.0.port'],
      ['a token for less than a minute', () => token({ validMs: minuteMs - 1 }), 'call.invalid', 'validMs'],
      ['a token for more than 30 days', () => token({ validMs: 30 * dayMs + 1 }), 'call.invalid', 'validMs'],
      [
        'to enable nobody',
        () => calls.setEnabled({ gatewayId: missing, isEnabled: true }),
        'call.not-found',
        undefined,
      ],
      ['to remove nobody', () => calls.remove({ gatewayId: missing }), 'call.not-found', undefined],
    ])('%s', async (_case, call, code, field) => {
      const before = await calls.list({});
      expect(await refusalOf(call())).toMatchObject({ code, ...(field === undefined ? {} : { field }) });
      expect(await calls.list({})).toEqual(before);
      expect([events.all, audit.entries, ended]).toEqual([[], [], []]);
    });
  });
});
