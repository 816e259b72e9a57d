// Owns hostile peers for tests: a tenant that logs in and sends any message, an enrolled gateway with false reports, a provider with
// answers from the test. Must not be used by the product.
import { generateKeyPairSync, hash, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gatewaysDomain } from '../../contracts/rpc/gateways.ts';
import { systemClock } from '../../kernel/clock.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { newId } from '../../kernel/identifier.ts';
import { Secret } from '../../kernel/secret.ts';
import { connectControl, type ControlChannel } from '../../transport/control-client.ts';
import type { ControlPeer } from '../../transport/control-peer.ts';
import { ControlServer } from '../../transport/control-server.ts';
import { parseEnrollmentToken } from '../../transport/enrollment-token.ts';
import { enrollGateway, GatewayLinkClient } from '../../transport/gateway-link-client.ts';
import { askProvider } from '../../wire/control-calls.ts';
import type { TenantRequestInput } from '../../wire/control-messages.ts';
import type { GatewayReport } from '../../wire/gateway-link-messages.ts';
import { makeScramVerifier, ScramClient, ScramServer, type ScramVerifier } from '../../wire/scram.ts';
import type { FixtureIdentity } from '../certificates/certificate-fixture.ts';
import { stackNames, type Stack } from '../site/stack.ts';

/** A tenant's connection after its login; the test sends any message over it. */
export async function logInAs(
  stack: Stack,
  userName: string = stackNames.account,
  password: string = stackNames.password,
): Promise<ControlChannel> {
  const channel = await connectControl({
    ...stack.addressOf(0),
    serverName: 'localhost',
    decideTrust: () => Promise.resolve({ isAccepted: true }),
  });
  const { peer } = channel;
  await askProvider(peer, 'hello', { protocol: 1, software: 'test', features: [] });
  const scram = new ScramClient({ userName, password, channelBinding: channel.channelBinding() });
  const first = await askProvider(peer, 'login.start', { mechanism: 'SCRAM-SHA-256-PLUS', message: scram.first() });
  await askProvider(peer, 'login.finish', { message: await scram.answer(first.message) });
  return channel;
}

export function startInput(
  input: Partial<TenantRequestInput<'session.start'>> = {},
): TenantRequestInput<'session.start'> {
  return {
    sessionId: newId(),
    operation: 'backup',
    jobId: newId(),
    jobName: 'hostile',
    repository: stackNames.repository,
    pointId: null,
    streams: 1,
    areNamesHidden: false,
    ...input,
  };
}

/** A report of the largest allowed size, with content that the provider stores. */
export function fatReport(sessionId: string, seed: number): object {
  const at = new Date().toISOString();
  return {
    sessionId,
    attempt: 1,
    actions: Array.from({ length: 50 }, () => ({ at, level: 'warning', text: 'x'.repeat(1000), durationMs: null })),
    objects: Array.from({ length: 45 }, (_each, index) => ({
      name: `${seed}-${index}-`.padEnd(4096, 'y'),
      state: 'running',
      sizeBytes: null,
      processedBytes: 0,
    })),
  };
}

export const quietReport: GatewayReport = {
  controlConnections: 0,
  dataConnections: 0,
  bytesFromClients: 0,
  bytesToClients: 0,
  load: 0,
  refusals: {
    unknownFirstBytes: 0,
    tooSlow: 0,
    unknownTicket: 0,
    blockedAddress: 0,
    tooManyConnections: 0,
    providerUnreachable: 0,
  },
};

/** A properly enrolled gateway with a link; it forwards no connection. */
export async function enrollHostileGateway(
  stack: Stack,
  name: string,
): Promise<{ readonly gatewayId: string; readonly client: GatewayLinkClient }> {
  const { token } = await stack.provider
    .domain(gatewaysDomain)
    .createEnrollToken({ name, addresses: [{ host: '127.0.0.1', port: 1 }] });
  const parsed = parseEnrollmentToken(token);
  const keys = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const issued = await enrollGateway({ token: parsed, name, publicKeyPem: keys.publicKey, nowMs: Date.now() });
  const up = Promise.withResolvers<undefined>();
  const client = new GatewayLinkClient({
    identity: { ...parsed, ...issued, privateKeyPem: keys.privateKey },
    name,
    version: 'test',
    listeners: [],
    onUp: () => up.resolve(undefined),
    onDown: () => undefined,
    onRoutes: () => 0,
    onConfiguration: () => undefined,
    clock: systemClock,
  });
  client.start();
  await up.promise;
  return { gatewayId: issued.gatewayId, client };
}

type Answers = Readonly<Record<string, (payload: unknown) => unknown>>;

/** A provider without a gateway that accepts every login with the right password and gives the test's answers. */
export async function startHostileProvider(
  identity: FixtureIdentity,
  password: string,
  answers: Answers,
): Promise<{ readonly port: number; readonly peers: ControlPeer[]; close(): Promise<void> }> {
  const verifier = await makeScramVerifier(password);
  const peers: ControlPeer[] = [];
  const server = await ControlServer.start({
    identity,
    authenticateProxy: () => undefined,
    isDirectAllowed: true,
    onConnection: ({ peer, channelBinding, confirmLogin }) => {
      peers.push(peer);
      const scram = scramServer(channelBinding, verifier);
      const allAnswers: Answers = {
        hello: () => ({
          protocol: 1,
          software: 'hostile',
          features: [{ name: 'delete-points', isRequired: false }],
          providerName: 'hostile',
        }),
        'login.start': async (payload) => ({ message: await scram.first((payload as { message: string }).message) }),
        'login.finish': (payload) => {
          const outcome = scram.final((payload as { message: string }).message);
          if (!outcome.isAccepted) throw outcome.error;
          confirmLogin();
          return { message: outcome.message, tenantId: newId(), mustSetPassword: false };
        },
        'gateways.list': () => ({ gateways: [] }),
        'repositories.list': () => ({ repositories: [] }),
        'points.list': () => ({ points: [], hasMore: false }),
        ...answers,
      };
      peer.onRequest((type, payload) => {
        const answer = allAnswers[type];
        if (answer === undefined) return Promise.reject(new FarkeepError('call.unknown'));
        return Promise.resolve(answer(payload));
      });
      peer.onNotify(() => undefined);
    },
  });
  return { port: server.port, peers, close: () => server.close() };
}

function scramServer(channelBinding: Buffer, verifier: ScramVerifier): ScramServer {
  return new ScramServer({
    channelBinding,
    unknownUserSecret: Secret.take(randomBytes(32)),
    findVerifier: () => verifier,
  });
}

/** Adds a copy of an existing root with changed values, as an older version could have committed it. @returns its identifier */
export async function forgeRoot(
  tenantFolder: string,
  pointId: string,
  changes: Readonly<Record<string, unknown>>,
): Promise<string> {
  const folder = path.join(tenantFolder, 'points');
  const good = await readFile(path.join(folder, `${pointId}.manifest`));
  const root = JSON.parse(good.toString('utf8', 12, good.length - 32)) as Record<string, unknown>;
  const forgedId = newId();
  const json = Buffer.from(JSON.stringify({ ...root, pointId: forgedId, ...changes }));
  const head = Buffer.from(good.subarray(0, 12));
  head.writeUInt32BE(json.length, 8);
  const signed = Buffer.concat([head, json]);
  await writeFile(
    path.join(folder, `${forgedId}.manifest`),
    Buffer.concat([signed, hash('sha256', signed, 'buffer')]),
    { mode: 0o600 },
  );
  return forgedId;
}
