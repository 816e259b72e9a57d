// Owns the parties and steps of the handshake: who takes part, which key reaches whom, in which order. The lanes of the diagram follow
// from these lists. docs/protocol.md, sections 2 and 4.
import { z } from 'zod';

/** Programs on the way between the two services, tenant first. They relay bytes and hold no key. */
export const hops = ['gateway'] as const;

/** Programs that receive a key of the session from a service, in the order in which the diagram shows them. */
export const keyReceivers = [
  { party: 'target-mover', keys: ['key-a', 'key-b'] },
  { party: 'source-mover', keys: ['key-b'] },
] as const;

export type KeyName = (typeof keyReceivers)[number]['keys'][number];
export type KeyReceiver = (typeof keyReceivers)[number]['party'];

/** The lanes of the handshake diagram, left to right. */
export const lanes = [
  'tenant-service',
  ...hops,
  'provider-service',
  ...keyReceivers.map(({ party }) => party),
] as const;
export type Lane = (typeof lanes)[number];

/** The receivers of a key. */
export function receiversOf(key: KeyName): readonly KeyReceiver[] {
  return keyReceivers.filter(({ keys }) => keys.some((name) => name === key)).map(({ party }) => party);
}

interface HandshakeRoute {
  readonly from: Lane;
  /** The same as `from` for an event in one place. */
  readonly to: Lane;
  /** The key that the step creates, delivers or is protected by. Without one, the step belongs to the TLS channel. */
  readonly key?: KeyName;
}

/** The steps in the order in which they happen. */
const routes = {
  'gateway-connect': { from: 'tenant-service', to: 'gateway' },
  'gateway-forward': { from: 'gateway', to: 'provider-service' },
  'certificate-presented': { from: 'provider-service', to: 'tenant-service' },
  'certificate-checked': { from: 'tenant-service', to: 'tenant-service' },
  'channel-established': { from: 'tenant-service', to: 'provider-service' },
  login: { from: 'tenant-service', to: 'provider-service' },
  'session-authorized': { from: 'provider-service', to: 'provider-service' },
  'key-a-created': { from: 'provider-service', to: 'provider-service', key: 'key-a' },
  'key-a-to-target': { from: 'provider-service', to: 'target-mover', key: 'key-a' },
  'key-a-to-tenant': { from: 'provider-service', to: 'tenant-service', key: 'key-a' },
  'key-b-created': { from: 'tenant-service', to: 'tenant-service', key: 'key-b' },
  'key-b-to-source': { from: 'tenant-service', to: 'source-mover', key: 'key-b' },
  'tunnel-opened': { from: 'tenant-service', to: 'target-mover', key: 'key-a' },
  'key-b-delivered': { from: 'tenant-service', to: 'target-mover', key: 'key-b' },
  'key-b-proven': { from: 'target-mover', to: 'tenant-service', key: 'key-b' },
  'streams-open': { from: 'gateway', to: 'source-mover', key: 'key-b' },
} as const satisfies Record<string, HandshakeRoute>;

export const handshakeStepNameSchema = z.enum(Object.keys(routes) as (keyof typeof routes)[]);
export type HandshakeStepName = z.infer<typeof handshakeStepNameSchema>;
export const handshakeSteps = handshakeStepNameSchema.options;
export const handshakeRoutes: Readonly<Record<HandshakeStepName, HandshakeRoute>> = routes;
