// Owns what a service is for the supervisor: a process that it started, or a connection to a service that runs already. Both forms pass
// calls and events and report their end. Must not know which form it is.
import type { CallResult, EventMessage } from '../../../services/contracts/carrier.ts';
import type { ErrorInfo } from '../../../services/contracts/errors.ts';
import type { SupervisedService } from '../../../services/contracts/models/service.ts';

export interface ServiceLink {
  readonly origin: SupervisedService['origin'];
  readonly pid: number | null;
  /** Never rejects: whatever happens is in the result. */
  call(domain: string, command: string, input: unknown, signal: AbortSignal): Promise<CallResult>;
  /** Ends the service in order. Resolves when it has ended. Safe to call twice. */
  stop(deadlineMs: number): Promise<void>;
  /** The console ends: a service that it started stops in order, another service runs on. */
  leave(deadlineMs: number): Promise<void>;
}

/** Why a link has ended. */
export type ServiceEnd =
  | { readonly kind: 'stopped' }
  /** The service reported why it cannot start. */
  | { readonly kind: 'start-failed'; readonly error: ErrorInfo }
  | { readonly kind: 'crashed'; readonly error: ErrorInfo }
  /** A service that another program started has ended the connection. It may come back. */
  | { readonly kind: 'lost'; readonly error: ErrorInfo };

export interface ServiceLinkListener {
  onReady(ready: { readonly listeners: Readonly<Record<string, string>> }): void;
  onHealth(health: 'running' | 'degraded', reason: string | null): void;
  onEvent(event: EventMessage): void;
  /** Called exactly once. */
  onEnd(end: ServiceEnd): void;
}
