// The gateway as a hosted role: its calls, its events, and the health that is made of its link.
import { beforeEach, describe, expect, it } from 'vitest';
import type { DomainClient } from '../contracts/contract.ts';
import { gatewayNodeDomain } from '../contracts/rpc/gateway-node.ts';
import { gatewayConfigSchema } from '../gateway/config.ts';
import type { GatewayService, GatewayStatus } from '../gateway/service.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { silentLogger } from '../kernel/logger.ts';
import type { RunningService, ServiceHealth } from '../kernel/running-service.ts';
import { callHandlers, refusalOf, standIn } from '../testing/handler-calls.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { RecordedEvents } from '../testing/recorded-events.ts';
import { gatewayRole } from './gateway-role.ts';
import { startHostedGateway } from './hosted-gateway.ts';

const notEnrolled: GatewayStatus = {
  isEnrolled: false,
  link: 'not-enrolled',
  linkReason: null,
  providerAddress: null,
  listeners: ['127.0.0.1:6180', '[::1]:6180'],
  connections: 0,
  relayedBytes: 0,
  refusedConnections: 0,
  startedAt: '2027-03-01T12:00:00.000Z',
};
const connected: GatewayStatus = { ...notEnrolled, isEnrolled: true, link: 'connected', providerAddress: 'p:6169' };

describe('the hosted gateway', () => {
  let status: GatewayStatus;
  let changed: (status: GatewayStatus) => void;
  let asked: unknown[];
  let events: RecordedEvents;
  let service: RunningService;
  let calls: DomainClient<typeof gatewayNodeDomain>;

  const start = async (first: GatewayStatus): Promise<void> => {
    status = first;
    asked = [];
    events = new RecordedEvents();
    const gateway = standIn<GatewayService>({
      status: () => status,
      enroll: async (input) => {
        asked.push(input);
        if (status.isEnrolled && !input.replace) throw new FarkeepError('call.conflict', 'It is enrolled already');
        status = connected;
        return status;
      },
      onStatusChanged: (listener) => {
        changed = listener;
        return () => undefined;
      },
      activeDataConnections: () => 3,
      stop: async (deadlineMs) => void asked.push(deadlineMs),
    });
    service = await startHostedGateway(
      {
        home: '/nowhere',
        config: gatewayConfigSchema.parse({}),
        logger: silentLogger,
        clock: new ManualClock(),
        publish: events.publish,
      },
      async ({ version, home }) => {
        expect([version, home]).toEqual([expect.stringMatching(/^\d+\.\d+/), '/nowhere']);
        return gateway;
      },
    );
    const { gatewayNode } = service.domains;
    if (gatewayNode === undefined) throw new Error('The domain of the gateway is not served');
    calls = callHandlers(gatewayNodeDomain, gatewayNode);
  };
  beforeEach(() => start(notEnrolled));

  it('answers with its status, and enrolls with a token', async () => {
    expect(await calls.status({})).toEqual(notEnrolled);
    expect(await calls.enroll({ token: 'a token' })).toEqual(connected);
    expect(await refusalOf(calls.enroll({ token: 'another' }))).toMatchObject({ code: 'call.conflict' });
    await calls.enroll({ token: 'another', replace: true });
    expect(asked).toEqual([
      { token: 'a token', replace: false },
      { token: 'another', replace: false },
      { token: 'another', replace: true },
    ]);
  });

  it.each(['', 'a'.repeat(4097)])(
    'refuses a token of an impossible length without using it (case %#)',
    async (token) => {
      expect(await refusalOf(calls.enroll({ token }))).toMatchObject({ code: 'call.invalid', field: 'token' });
      expect(asked).toEqual([]);
    },
  );

  it('publishes each change of the status', () => {
    changed(connected);
    changed({ ...connected, connections: 2 });
    expect(events.of(gatewayNodeDomain, 'statusChanged')).toEqual([connected, { ...connected, connections: 2 }]);
  });

  it.each<[GatewayStatus['link'], string | null, ServiceHealth['health'], string | null]>([
    ['connected', null, 'running', null],
    ['not-enrolled', null, 'degraded', 'Not enrolled: give it a token with "farkeep gateway enroll"'],
    ['not-enrolled', 'The token is too old', 'degraded', 'The token is too old'],
    ['connecting', null, 'degraded', 'Connecting to the provider'],
    ['waiting', null, 'degraded', 'The provider cannot be reached; the gateway retries'],
    ['waiting', 'ECONNREFUSED', 'degraded', 'ECONNREFUSED'],
  ])('with its link "%s" and the reason %j it is %s: %j', async (link, linkReason, health, reason) => {
    await start({ ...connected, link, linkReason });
    expect(service.health()).toEqual({ health, reason });
  });

  it('tells of its health only when it changes, and not to a listener that has left', () => {
    const told: ServiceHealth[] = [];
    const leave = service.onHealthChanged((health) => void told.push(health));
    changed(connected);
    changed({ ...connected, relayedBytes: 5 });
    expect(told).toEqual([{ health: 'running', reason: null }]);
    leave();
    changed({ ...connected, link: 'waiting' });
    expect(told).toHaveLength(1);
    expect(service.health().health).toBe('degraded');
  });

  it('names its listeners, counts what a stop would interrupt, and stops within the deadline', async () => {
    expect(service.listeners).toEqual({ gateway: '127.0.0.1:6180', gateway2: '[::1]:6180' });
    expect(service.activeSessions()).toBe(3);
    await service.stop(700);
    expect(asked).toEqual([700]);
  });
});

describe('the flags of the gateway role', () => {
  const configOf = (name: string, values: readonly string[]): unknown =>
    gatewayRole.flags.find((flag) => flag.name === name)?.toConfig(values);

  it.each<[string, readonly string[], unknown]>([
    [
      'listen',
      ['0.0.0.0:6180', '[::1]:0'],
      {
        listen: [
          { host: '0.0.0.0', port: 6180 },
          { host: '::1', port: 0 },
        ],
      },
    ],
    ['name', ['gw1'], { name: 'gw1' }],
    ['token-file', ['token.txt'], { enrollmentTokenFile: 'token.txt' }],
  ])('--%s becomes configuration that its schema takes', (name, values, config) => {
    expect(configOf(name, values)).toEqual(config);
    expect(gatewayConfigSchema.parse(config)).toMatchObject(config as object);
  });

  it('refuses an address without a port', () => {
    expect(() => configOf('listen', ['0.0.0.0'])).toThrow(expect.objectContaining({ code: 'config.invalid' }) as Error);
  });
});
