// Owns a gateway of the second implementation: enrollment, the link to the provider, and the single port (docs/protocol.md, section 1).
// Written from docs/ alone, uses node: modules only. Without the limits that protect a gateway from strangers.
import { createHash, createHmac, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { connectTls, sha256Of, type Address } from './control-channel.ts';
import { EnvelopePeer, type Json } from './envelope-peer.ts';
import { u32 } from './sealed-records.ts';
import { WebSocketClient } from './web-socket.ts';

interface Token extends Address {
  readonly fingerprint: string;
  readonly secret: string;
}

function parseToken(text: string): Token {
  const prefix = 'farkeep-gateway-1.';
  if (!text.startsWith(prefix)) throw new Error('No enrollment token');
  return JSON.parse(Buffer.from(text.slice(prefix.length), 'base64url').toString('utf8')) as Token;
}

interface Route extends Partial<Address> {
  readonly kind: string;
  readonly port: number;
  readonly until: number;
}

export interface ProxyHeader {
  readonly source: Address;
  readonly destination: Address;
  readonly linkId: Buffer;
  readonly counter: bigint;
}

/** IPv4 addresses only, or IPv6 written out in hex. @param key the exporter of the link */
export function proxyHeader({ source, destination, linkId, counter }: ProxyHeader, key: Buffer): Buffer {
  const isIpv4 = ![source, destination].some(({ host }) => host.includes(':'));
  const bytesOf = ({ host }: Address): Buffer =>
    host.includes(':')
      ? ipv6Bytes(host)
      : isIpv4
        ? ipv4Bytes(host)
        : Buffer.concat([ipv6Bytes('::ffff:0:0').subarray(0, 12), ipv4Bytes(host)]);
  const u16 = (value: number): Buffer => u32(value).subarray(2);
  const counterBytes = Buffer.alloc(8);
  counterBytes.writeBigUInt64BE(counter);
  const addresses = Buffer.concat([bytesOf(source), bytesOf(destination), u16(source.port), u16(destination.port)]);
  const head = Buffer.concat([
    Buffer.from('0d0a0d0a000d0a515549540a', 'hex'),
    Buffer.of(0x21, isIpv4 ? 0x11 : 0x21),
    u16(addresses.length + 3 + 57),
    addresses,
    Buffer.of(0xe0, 0, 57, 1),
    linkId,
    counterBytes,
  ]);
  return Buffer.concat([head, createHmac('sha256', key).update('farkeep/1 proxy header').update(head).digest()]);
}

const ipv4Bytes = (host: string): Buffer => Buffer.from(host.split('.').map(Number));

function ipv6Bytes(host: string): Buffer {
  const [left = '', right] = host.split('::');
  const words = (text: string): number[] => (text === '' ? [] : text.split(':').map((word) => parseInt(word, 16)));
  const [before, after] = [words(left), right === undefined ? [] : words(right)];
  const all = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
  return Buffer.concat(all.map((word) => u32(word).subarray(2)));
}

export class SmallGateway {
  readonly #routes = new Map<string, Route>();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #provider: Address = { host: '', port: 0 };
  #control: { readonly controlHost?: string; readonly controlPort: number } = { controlPort: 0 };
  #linkId = Buffer.alloc(16);
  #proxyKey: Buffer = Buffer.alloc(32);
  #counter = 0n;
  #link: EnvelopePeer | undefined;

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (client) => this.#accept(client));
  }

  /** Accepts clients after it has joined a provider. */
  static async listen(host: string): Promise<SmallGateway> {
    const server = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    return new SmallGateway(server);
  }

  /** Enrolls and opens the link. */
  async join(tokenText: string, name: string): Promise<void> {
    const token = parseToken(tokenText);
    this.#provider = token;
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const address = { host: token.host, port: token.port, alpn: 'farkeep-link/1' };
    const isNamed = (der: Buffer): boolean => sha256Of(der) === token.fingerprint;

    const enrolling = await connectTls(address, isNamed);
    const stranger = new EnvelopePeer(await WebSocketClient.open(enrolling, { path: '/link', host: 'provider' }));
    const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' });
    const enrolled = await stranger.request('enroll', { secret: token.secret, name, publicKeyPem });
    enrolling.destroy();

    const cert = String(enrolled['certificatePem']);
    if (!new X509Certificate(cert).verify(new X509Certificate(String(enrolled['infrastructureCaPem'])).publicKey))
      throw new Error('The client certificate is not from the authority that was named');
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
    const socket = await connectTls({ ...address, cert, key }, isNamed);
    this.#sockets.add(socket);
    this.#proxyKey = socket.exportKeyingMaterial(32, 'EXPORTER-Farkeep-Proxy-Header', Buffer.alloc(0));
    this.#link = new EnvelopePeer(
      await WebSocketClient.open(socket, { path: '/link', host: 'provider' }),
      (type, payload) => this.#serve(type, payload),
    );
    const listeners = [this.address];
    const answer = await this.#link.request('link-hello', { protocol: 1, name, version: 'second', listeners });
    if (answer['gatewayId'] !== enrolled['gatewayId']) throw new Error('Another gateway');
    this.#linkId = Buffer.from(String(answer['linkId']), 'hex');
    this.#serve('configure', answer['configuration'] as Json);
    this.#report();
  }

  get address(): Address {
    const { address: host, port } = this.#server.address() as AddressInfo;
    return { host, port };
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(type: string, payload: Json): Json | undefined {
    switch (type) {
      case 'push-routes': {
        const routes = payload['routes'] as readonly (Route & { ticketHash: string; lifetimeMs: number })[];
        for (const { ticketHash, lifetimeMs, ...route } of routes)
          this.#routes.set(ticketHash, { ...route, until: performance.now() + lifetimeMs });
        return { accepted: routes.length };
      }
      case 'configure':
        this.#control = payload as { controlHost?: string; controlPort: number };
        return {};
      default:
        return undefined;
    }
  }

  #report(): void {
    const refusals = {
      ...{ unknownFirstBytes: 0, tooSlow: 0, unknownTicket: 0, blockedAddress: 0 },
      ...{ tooManyConnections: 0, providerUnreachable: 0 },
    };
    this.#link?.notify('gateway-report', {
      ...{ controlConnections: 0, dataConnections: 0, bytesFromClients: 0, bytesToClients: 0, load: 0, refusals },
    });
  }

  #accept(client: Socket): void {
    this.#keep(client);
    let received: Buffer = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      const isTls = received[0] === 0x16;
      if (received.length < (isTls ? 2 : 40)) return;
      client.off('data', onData);
      client.pause();
      if (isTls) {
        const to = { host: this.#control.controlHost ?? this.#provider.host, port: this.#control.controlPort };
        const source = { host: client.remoteAddress ?? '', port: client.remotePort ?? 0 };
        const destination = { host: client.localAddress ?? '', port: client.localPort ?? 0 };
        const header = { source, destination, linkId: this.#linkId, counter: this.#counter++ };
        this.#pass(client, to, Buffer.concat([proxyHeader(header, this.#proxyKey), received]));
        return;
      }
      const hash = createHash('sha256').update(received.subarray(8, 40)).digest('hex');
      const route = this.#routes.get(hash);
      this.#routes.delete(hash);
      const kind = received[5] === 1 ? 'tunnel' : 'data';
      const isPreamble = received.toString('latin1', 0, 5) === 'FKD1\x01' && received.readUInt16BE(6) === 0;
      if (!isPreamble || route?.kind !== kind || performance.now() > route.until) client.destroy();
      else this.#pass(client, { host: route.host ?? this.#provider.host, port: route.port }, received);
    };
    client.on('data', onData);
  }

  #pass(client: Socket, to: Address, first: Buffer): void {
    const target = connect({ ...to, allowHalfOpen: true });
    this.#keep(target);
    target.write(first);
    client.pipe(target);
    target.pipe(client);
    client.on('close', () => target.destroy());
    target.on('close', () => client.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
