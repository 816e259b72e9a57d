// Owns the messages that all carriers transmit: Electron IPC, the service process's channel, the local admin socket. All JSON.
import { z } from 'zod';
import { callTargets, serviceRoles } from './contract.ts';
import { errorInfoSchema } from './error-schemas.ts';

const callIdSchema = z.string().min(1).max(64);
const nameSchema = z.string().regex(/^[a-z][A-Za-z]{0,40}$/);

export const callMessageSchema = z.object({
  kind: z.literal('call'),
  id: callIdSchema,
  domain: nameSchema,
  command: nameSchema,
  input: z.unknown(),
});

export const cancelMessageSchema = z.object({ kind: z.literal('cancel'), id: callIdSchema });

const leftOutRowsSchema = z.object({
  list: z.string().max(100),
  count: z.int().positive(),
  /** Names of the first left-out rows. */
  names: z.array(z.string().max(100)).max(20).readonly(),
});

export const callResultSchema = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    value: z.unknown(),
    /** List rows that do not match the contract. The value does not contain these rows. */
    leftOutRows: z.array(leftOutRowsSchema).optional(),
  }),
  z.object({ ok: z.literal(false), error: errorInfoSchema }),
]);
export type CallResult = z.infer<typeof callResultSchema>;

export const resultMessageSchema = z.object({ kind: z.literal('result'), id: callIdSchema, result: callResultSchema });

/** `sequence` counts all events of one service process from 1; after a gap the client fetches snapshots. */
export const eventMessageSchema = z.object({
  kind: z.literal('event'),
  sequence: z.int().positive(),
  domain: nameSchema,
  event: nameSchema,
  payload: z.unknown(),
});
export type EventMessage = z.infer<typeof eventMessageSchema>;

/** Subscribes to events; without this message a connection to the admin socket gets only results. */
export const subscribeMessageSchema = z.object({ kind: z.literal('subscribe') });
/** Asks the service to stop in order. */
export const stopMessageSchema = z.object({ kind: z.literal('stop'), deadlineMs: z.int().min(0).max(600_000) });

export const readyMessageSchema = z.object({
  kind: z.literal('ready'),
  role: z.enum(serviceRoles),
  pid: z.int(),
  version: z.string(),
  /** "host:port" of every listener, by purpose: gateway, control, infrastructure. */
  listeners: z.record(z.string(), z.string()),
});
export type ReadyMessage = z.infer<typeof readyMessageSchema>;

/** Sent by a service every 2 s over its process channel. After three missing heartbeats the service counts as hanging. */
export const heartbeatMessageSchema = z.object({
  kind: z.literal('heartbeat'),
  /** `degraded` with a reason, such as a gateway that lost its provider. */
  health: z.enum(['running', 'degraded']),
  reason: z.string().optional(),
});

/** Sent by a service that cannot start, before it exits. */
export const startFailedMessageSchema = z.object({ kind: z.literal('start-failed'), error: errorInfoSchema });

/**
 * The first message to a service that was started with `--keychain`: the key of the OS keychain for this instance. It is not one of the
 * messages that callers send, because only the process channel may carry it.
 */
export const keychainMessageSchema = z.object({
  kind: z.literal('keychain'),
  keychain: z.string().min(1).max(200),
  /** 32 bytes, base64. */
  key: z.string().regex(/^[A-Za-z0-9+/]{43}=$/),
});
export type KeychainMessage = z.infer<typeof keychainMessageSchema>;

export const messageToServiceSchema = z.discriminatedUnion('kind', [
  callMessageSchema,
  cancelMessageSchema,
  subscribeMessageSchema,
  stopMessageSchema,
]);
export type MessageToService = z.infer<typeof messageToServiceSchema>;

export const messageFromServiceSchema = z.discriminatedUnion('kind', [
  resultMessageSchema,
  eventMessageSchema,
  readyMessageSchema,
  heartbeatMessageSchema,
  startFailedMessageSchema,
]);
export type MessageFromService = z.infer<typeof messageFromServiceSchema>;

/** A call from the renderer over the bridge. */
export const bridgeCallSchema = z.object({
  target: z.enum(callTargets),
  id: callIdSchema,
  domain: nameSchema,
  command: nameSchema,
  input: z.unknown(),
});
export type BridgeCall = z.infer<typeof bridgeCallSchema>;

/** An event for the renderer over the bridge; `incarnation` changes when the service process was restarted. */
export interface BridgeEvent {
  readonly target: (typeof callTargets)[number];
  readonly incarnation: number;
  readonly sequence: number;
  readonly domain: string;
  readonly event: string;
  readonly payload: unknown;
}

/** The object that the preload script provides as `window.farkeep`. */
export interface FarkeepBridge {
  call(call: BridgeCall): Promise<CallResult>;
  cancel(id: string): void;
  /** Returns the function that ends the subscription. */
  onEvent(listener: (event: BridgeEvent) => void): () => void;
  /** Path of a file that was dropped on the window; empty when the dropped item is not a file on disk. */
  pathOfDroppedFile(file: unknown): string;
  readonly platform: string;
}
