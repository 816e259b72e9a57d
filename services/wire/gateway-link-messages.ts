// Owns the shapes of the messages on the gateway link (docs/protocol.md, section 1). Must not know sockets. Unknown fields are ignored, so
// that either side can be newer.
import { z } from 'zod';

const portSchema = z.number().int().min(1).max(65535);
const hostSchema = z.string().min(1).max(255);
/** Hex of the SHA-256 of a ticket: the ticket itself is never sent over the link, and the gateway does not store it. */
const ticketHashSchema = z.string().regex(/^[0-9a-f]{64}$/);
const countSchema = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

export const gatewayConfigurationSchema = z.object({
  /** Address of the provider's control listener; without a host: the address to which the gateway opened the link. */
  controlHost: hostSchema.optional(),
  controlPort: portSchema,
});
export type GatewayConfiguration = z.infer<typeof gatewayConfigurationSchema>;

export const routeSchema = z.object({
  ticketHash: ticketHashSchema,
  kind: z.enum(['tunnel', 'data']),
  /** Address of the data mover's listener; without a host: the address to which the gateway opened the link. */
  host: hostSchema.optional(),
  port: portSchema,
  lifetimeMs: z.number().int().min(1).max(60_000),
});
export type Route = z.infer<typeof routeSchema>;

/** A number that a gateway reports about itself. This schema is the only place that limits it, so that sums of such numbers stay exact. */
const reported = (max: number): z.ZodType<number, number> =>
  z
    .number()
    .nonnegative()
    .transform((value) => Math.min(Math.floor(value), max));
export const maxReportedConnections = 1_000_000;
/** 2 PiB: the sum of two such numbers and the bytes of earlier runs is still exact. */
export const maxReportedBytes = 2 ** 51;
const reportedCount = reported(maxReportedConnections);

export const gatewayReportSchema = z.object({
  controlConnections: reportedCount,
  dataConnections: reportedCount,
  /** Counted since the gateway started: from clients to the provider, and back. */
  bytesFromClients: reported(maxReportedBytes),
  bytesToClients: reported(maxReportedBytes),
  /** Share of one core that the gateway process used since the last report, 0 to 1 (above 1 with worker threads). */
  load: z
    .number()
    .min(0)
    .transform((value) => Math.min(value, 1024)),
  refusals: z.object({
    unknownFirstBytes: reportedCount,
    tooSlow: reportedCount,
    unknownTicket: reportedCount,
    blockedAddress: reportedCount,
    tooManyConnections: reportedCount,
    providerUnreachable: reportedCount,
  }),
});
export type GatewayReport = z.infer<typeof gatewayReportSchema>;

/** Requests on the link; a comment names the sender of each. */
export const linkRequests = {
  /** Gateway to provider, without a client certificate, once. */
  enroll: {
    input: z.object({
      secret: z.string().min(16).max(128),
      name: z.string().min(1).max(128),
      publicKeyPem: z.string().max(4096),
    }),
    output: z.object({
      gatewayId: z.string().min(1).max(64),
      certificatePem: z.string().max(16_384),
      infrastructureCaPem: z.string().max(16_384),
    }),
  },
  /** Gateway to provider, the first request on every link. */
  'link-hello': {
    input: z.object({
      protocol: z.literal(1),
      name: z.string().min(1).max(128),
      version: z.string().max(64),
      listeners: z.array(z.object({ host: z.string().max(255), port: portSchema })).max(16),
    }),
    output: z.object({
      gatewayId: z.string().min(1).max(64),
      /** 16 bytes, hex: identifies this link in PROXY headers. */
      linkId: z.string().regex(/^[0-9a-f]{32}$/),
      configuration: gatewayConfigurationSchema,
    }),
  },
  /**
   * Gateway to provider, on an open link: a new client certificate for a new key. The old certificate stays valid until the new one was
   * used.
   */
  renew: {
    input: z.object({ publicKeyPem: z.string().max(4096) }),
    output: z.object({ certificatePem: z.string().max(16_384) }),
  },
  /** Provider to gateway. */
  'push-routes': {
    input: z.object({ routes: z.array(routeSchema).min(1).max(256) }),
    output: z.object({ accepted: countSchema }),
  },
  configure: { input: gatewayConfigurationSchema, output: z.object({}) },
} as const;

/** Notification, gateway to provider, on change and at most every two seconds. */
export const gatewayReportType = 'gateway-report';
