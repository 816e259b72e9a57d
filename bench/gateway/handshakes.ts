// Owns measuring how many tenants per second can log in at a provider through one gateway: TLS alone, and the whole login. Provider and
// gateway are real processes. The clients run in this process, so the rate is that of both ends on one machine, and the provider's own CPU
// time is shown too.
import { readFile } from 'node:fs/promises';
import { demoNames, startDemoSite, type DemoSite } from '../../services/demo/demo-site.ts';
import { parseAddress } from '../../services/host/serve-flags.ts';
import { connectControl } from '../../services/transport/control-client.ts';
import { connectGateway, runHandshake } from '../../services/transport/tls-handshake.ts';
import { controlProtocol, tlsRules } from '../../services/transport/tls-settings.ts';
import { askProvider } from '../../services/wire/control-calls.ts';
import { controlProtocolVersion } from '../../services/wire/control-messages.ts';
import { deriveScramKeys, ScramClient, scramIterations } from '../../services/wire/scram.ts';
import { cpuSecondsOf } from '../figures/process-usage.ts';

export const handshakesAtATime = 4;
const handshakeTimeoutMs = 20_000;

export interface HandshakeRate {
  readonly perSecond: number;
  /** CPU milliseconds of one handshake or login, at the provider and at the gateway. */
  readonly providerCpuMs: number;
  readonly gatewayCpuMs: number;
}

export interface HandshakeResult {
  readonly tls: HandshakeRate;
  readonly login: HandshakeRate;
  /** Key type of the provider's certificate, which signs the handshake. */
  readonly keyType: string;
  readonly iterations: number;
  /** Time of the PBKDF2 of one login, on one core; the tenant computes it, not the provider. */
  readonly pbkdf2Ms: number;
}

interface Door {
  readonly host: string;
  readonly port: number;
}

export async function measureHandshakes(
  root: string,
  counts: { readonly tls: number; readonly login: number },
): Promise<HandshakeResult> {
  const signal = new AbortController().signal;
  const site = await startDemoSite({ root, report: () => undefined, signal });
  try {
    const { host = '127.0.0.1', port } = parseAddress('address', site.gatewayAddresses[0] ?? '');
    const door = { host, port };
    const password = (await readFile(site.passwordFile, 'utf8')).trim();
    // The first handshakes compile code on both sides.
    await repeat(handshakesAtATime * 5, () => shakeHands(door));
    const tls = await measureRate(site, counts.tls, () => shakeHands(door));
    await repeat(handshakesAtATime, () => logIn(door, password));
    const login = await measureRate(site, counts.login, () => logIn(door, password));
    const beganMs = performance.now();
    await deriveScramKeys(password, Buffer.alloc(16), scramIterations);
    const pbkdf2Ms = performance.now() - beganMs;
    return { tls, login, keyType: site.certificate.summary.keyType, iterations: scramIterations, pbkdf2Ms };
  } finally {
    await site.stop();
  }
}

async function measureRate(site: DemoSite, count: number, once: () => Promise<void>): Promise<HandshakeRate> {
  const pids = { provider: site.provider.process.pid, gateway: site.gateways[0]?.process.pid ?? 0 };
  const before = { provider: cpuSecondsOf(pids.provider), gateway: cpuSecondsOf(pids.gateway) };
  const beganMs = performance.now();
  await repeat(count, once);
  const seconds = (performance.now() - beganMs) / 1000;
  return {
    perSecond: count / seconds,
    providerCpuMs: ((cpuSecondsOf(pids.provider) - before.provider) * 1000) / count,
    gatewayCpuMs: ((cpuSecondsOf(pids.gateway) - before.gateway) * 1000) / count,
  };
}

async function repeat(count: number, once: () => Promise<void>): Promise<void> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await once();
    }
  };
  await Promise.all(Array.from({ length: handshakesAtATime }, worker));
}

/** Opens TCP to the gateway and does a full TLS 1.3 handshake with the provider; no session is resumed. */
async function shakeHands({ host, port }: Door): Promise<void> {
  const raw = await connectGateway({ host, port, timeoutMs: handshakeTimeoutMs });
  const socket = await runHandshake(raw, {
    target: `${host}:${port}`,
    timeoutMs: handshakeTimeoutMs,
    signal: undefined,
    options: { ...tlsRules, ALPNProtocols: [controlProtocol], rejectUnauthorized: false },
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.destroy();
  await closed;
}

/** Does everything up to the tenant's first request. Accepts any certificate, because checking it needs no network and is not measured. */
async function logIn({ host, port }: Door, password: string): Promise<void> {
  const { peer, channelBinding } = await connectControl({
    host,
    port,
    serverName: host,
    timeoutMs: handshakeTimeoutMs,
    decideTrust: () => Promise.resolve({ isAccepted: true }),
  });
  try {
    await askProvider(peer, 'hello', { protocol: controlProtocolVersion, software: 'farkeep bench', features: [] });
    const scram = new ScramClient({ userName: demoNames.tenant, password, channelBinding: channelBinding() });
    const first = await askProvider(peer, 'login.start', {
      mechanism: 'SCRAM-SHA-256-PLUS',
      message: scram.first(),
    });
    const final = await askProvider(peer, 'login.finish', { message: await scram.answer(first.message) });
    scram.verify(final.message);
  } finally {
    await peer.close();
  }
}
