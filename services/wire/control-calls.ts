// Owns typed calls on a control channel: every message is checked against its schema when it is sent and when it arrives. Must not know
// sockets; works with any object that has `request` and `notify`.
import type { z } from 'zod';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import {
  providerNotifications,
  tenantNotifications,
  tenantRequests,
  type ProviderNotification,
  type ProviderNotificationName,
  type TenantNotification,
  type TenantNotificationName,
  type TenantRequestInput,
  type TenantRequestName,
  type TenantRequestOutput,
} from './control-messages.ts';

interface CallOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

export interface MessagePeer {
  request(type: string, payload: unknown, options?: CallOptions): Promise<unknown>;
  notify(type: string, payload: unknown): void;
}

/** Sends a request of the tenant. @throws FarkeepError of the provider, or protocol.malformed when the answer has the wrong form */
export async function askProvider<Name extends TenantRequestName>(
  peer: MessagePeer,
  name: Name,
  input: TenantRequestInput<Name>,
  options: CallOptions = {},
): Promise<TenantRequestOutput<Name>> {
  const answer = await peer.request(name, input, options);
  return parse(tenantRequests[name].output, answer, name) as TenantRequestOutput<Name>;
}

export function isTenantRequest(name: string): name is TenantRequestName {
  return Object.hasOwn(tenantRequests, name);
}

export function parseTenantRequest<Name extends TenantRequestName>(
  name: Name,
  payload: unknown,
): TenantRequestInput<Name> {
  return parse(tenantRequests[name].input, payload, name) as TenantRequestInput<Name>;
}

export function tellProvider<Name extends TenantNotificationName>(
  peer: MessagePeer,
  name: Name,
  payload: TenantNotification<Name>,
): void {
  peer.notify(name, payload);
}

export function tellTenant<Name extends ProviderNotificationName>(
  peer: MessagePeer,
  name: Name,
  payload: ProviderNotification<Name>,
): void {
  peer.notify(name, payload);
}

export type AnyTenantNotification = {
  [Name in TenantNotificationName]: { readonly name: Name; readonly payload: TenantNotification<Name> };
}[TenantNotificationName];
export type AnyProviderNotification = {
  [Name in ProviderNotificationName]: { readonly name: Name; readonly payload: ProviderNotification<Name> };
}[ProviderNotificationName];

/** undefined for a notification that this version does not know: a newer peer may send more types. @throws protocol.malformed */
export function parseTenantNotification(name: string, payload: unknown): AnyTenantNotification | undefined {
  if (!Object.hasOwn(tenantNotifications, name)) return undefined;
  const knownName = name as TenantNotificationName;
  return { name: knownName, payload: parse(tenantNotifications[knownName], payload, name) } as AnyTenantNotification;
}

/** undefined for a notification that this version does not know. @throws protocol.malformed */
export function parseProviderNotification(name: string, payload: unknown): AnyProviderNotification | undefined {
  if (!Object.hasOwn(providerNotifications, name)) return undefined;
  const knownName = name as ProviderNotificationName;
  return {
    name: knownName,
    payload: parse(providerNotifications[knownName], payload, name),
  } as AnyProviderNotification;
}

function parse(schema: z.ZodType, value: unknown, name: string): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new FarkeepError(
    'protocol.malformed',
    `The control message "${name}" is malformed at "${issue?.path.join('.') ?? ''}": ${issue?.message ?? 'invalid'}`,
  );
}
