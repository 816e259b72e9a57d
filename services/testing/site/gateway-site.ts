// Owns the processes around a gateway in tests, on loopback: provider, gateway, tenants, movers, raw clients; starts and ends them. Must
// not be used by the product.
import { connect, type Socket } from 'node:net';
import { expect, vi } from 'vitest';

import { gatewayConfigSchema } from '../../gateway/config.ts';
import { startGateway, type GatewayService } from '../../gateway/service.ts';
import { systemClock, type Clock } from '../../kernel/clock.ts';
import { silentLogger } from '../../kernel/logger.ts';
import { connectControl, type ControlChannel } from '../../transport/control-client.ts';
import { listenData, type AcceptedData } from '../../transport/data-listener.ts';
import type { DataSocket } from '../../transport/data-socket.ts';
import {
  makeAuthority,
  makeSelfSigned,
  type FixtureAuthority,
  type FixtureIdentity,
} from '../certificates/certificate-fixture.ts';
import { startProviderFixture, type ProviderFixture, type ProviderFixtureOptions } from './gateway-fixture.ts';

export interface GatewayCertificates {
  readonly authority: FixtureAuthority;
  readonly infrastructure: FixtureIdentity;
  readonly identity: FixtureIdentity;
}

/** Call once for a test file. */
export async function makeGatewayCertificates(): Promise<GatewayCertificates> {
  const authority = await makeAuthority('infrastructure');
  const infrastructure = await authority.issueServer('provider infrastructure');
  return { authority, infrastructure, identity: await makeSelfSigned('provider') };
}

export interface GatewaySite {
  startProvider(options?: Partial<ProviderFixtureOptions>): Promise<ProviderFixture>;
  start(config?: Record<string, unknown>, clock?: Clock): Promise<GatewayService>;
  /** Starts provider and enrolled gateway; resolves when both sides have the link. */
  startBoth(
    config?: Record<string, unknown>,
    clock?: Clock,
  ): Promise<{ provider: ProviderFixture; gateway: GatewayService; gatewayId: string; port: number }>;
  connectTenant(port: number): Promise<ControlChannel>;
  startMover(): Promise<{ port: number; accepted: AcceptedData[]; next: () => Promise<AcceptedData> }>;
  rawClient(port: number): { socket: Socket; closed: Promise<void> };
}

interface SiteOptions {
  readonly certificates: () => GatewayCertificates;
  /** Home of the gateways that are started from now on. */
  readonly home: () => string;
  /** Gets functions that end what was started; call them in reverse order. */
  readonly undo: (() => unknown)[];
}

export function gatewaySite({ certificates, home, undo }: SiteOptions): GatewaySite {
  async function startProvider(options: Partial<ProviderFixtureOptions> = {}): Promise<ProviderFixture> {
    const provider = await startProviderFixture({ ...certificates(), ...options });
    undo.push(() => provider.close());
    return provider;
  }

  async function start(config: Record<string, unknown> = {}, clock: Clock = systemClock): Promise<GatewayService> {
    const gateway = await startGateway({
      home: home(),
      config: gatewayConfigSchema.parse({
        name: 'gw-test',
        listen: [{ host: '127.0.0.1', port: 0 }],
        reportIntervalMs: 20,
        ...config,
      }),
      logger: silentLogger,
      clock,
      version: '0.0.0',
    });
    undo.push(() => gateway.stop(0));
    return gateway;
  }

  async function startBoth(
    config: Record<string, unknown> = {},
    clock?: Clock,
  ): Promise<{ provider: ProviderFixture; gateway: GatewayService; gatewayId: string; port: number }> {
    const provider = await startProvider(clock === undefined ? {} : { clock });
    const gateway = await start({ enrollmentToken: provider.makeToken(), ...config }, clock);
    const gatewayId = await provider.untilConnected();
    await vi.waitFor(() => expect(gateway.status().link).toBe('connected'));
    return { provider, gateway, gatewayId, port: portOf(gateway) };
  }

  async function connectTenant(port: number): Promise<ControlChannel> {
    const channel = await connectControl({
      host: '127.0.0.1',
      port,
      serverName: 'localhost',
      decideTrust: () => Promise.resolve({ isAccepted: true }),
      timeoutMs: 5_000,
    });
    undo.push(() => channel.peer.close());
    return channel;
  }

  async function startMover(): Promise<{ port: number; accepted: AcceptedData[]; next: () => Promise<AcceptedData> }> {
    const accepted: AcceptedData[] = [];
    const waiting: ((data: AcceptedData) => void)[] = [];
    const listener = await listenData({
      onConnection: (data) => {
        accepted.push(data);
        undo.push(() => data.socket.destroy());
        waiting.shift()?.(data);
      },
    });
    undo.push(() => listener.close());
    return { port: listener.port, accepted, next: () => new Promise((resolve) => waiting.push(resolve)) };
  }

  function rawClient(port: number): { socket: Socket; closed: Promise<void> } {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.resume();
    undo.push(() => socket.destroy());
    return { socket, closed: new Promise((resolve) => socket.once('close', () => resolve())) };
  }

  return { startProvider, start, startBoth, connectTenant, startMover, rawClient };
}

export function portOf(gateway: GatewayService): number {
  return gateway.addresses[0]?.port ?? 0;
}

/** All bytes until the other side ends its direction. */
export function readAll(socket: DataSocket, firstBytes?: Buffer): Promise<Buffer> {
  const parts: Buffer[] = [];
  return new Promise((resolve, reject) => {
    socket.start(
      {
        onChunk: (chunk) => {
          parts.push(Buffer.from(chunk));
          return true;
        },
        onEnd: () => resolve(Buffer.concat(parts)),
        onClose: (error) => (error === undefined ? resolve(Buffer.concat(parts)) : reject(error)),
      },
      firstBytes,
    );
  });
}
