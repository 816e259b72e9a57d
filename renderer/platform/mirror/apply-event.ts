// Owns the change that each event makes in the mirror. Pure: returns the new state, or the same object if nothing changed.
import type { CallTarget } from '../../../services/contracts/contract.ts';
import { finalSessionStates } from '../../../services/contracts/models/session.ts';
import type { SessionSummary } from '../../../services/contracts/models/session.ts';
import { applySessionEvent } from './apply-session-event.ts';
import type { ConsoleSlice, GatewaySlice, MirrorState, ProviderSlice, TenantSlice } from './mirror-state.ts';
import type { TypedEvent } from './typed-event.ts';
import { removeRow, upsertRow } from './upsert.ts';

/** A longer list would not be read in the notification area. The journal has all entries. */
const mostAnnouncements = 20;

export function isFinal({ state }: Pick<SessionSummary, 'state'>): boolean {
  return finalSessionStates.includes(state);
}

function withSession(sessions: readonly SessionSummary[], event: TypedEvent): readonly SessionSummary[] {
  if (event.name === 'sessions.changed') return upsertRow(sessions, event.payload, 'first');
  if (event.name !== 'sessions.progressed') return sessions;
  const { sessionId, progress } = event.payload;
  const row = sessions.find(({ id }) => id === sessionId);
  // A late progress event must not replace the final figures of a session that has ended.
  return row === undefined || isFinal(row) ? sessions : upsertRow(sessions, { ...row, progress });
}

function applyToConsole(slice: ConsoleSlice, event: TypedEvent): ConsoleSlice {
  switch (event.name) {
    case 'console.serviceChanged': {
      const others = slice.services.filter(({ role }) => role !== event.payload.role);
      const index = slice.services.findIndex(({ role }) => role === event.payload.role);
      const services = index === -1 ? [...others, event.payload] : slice.services.with(index, event.payload);
      return { ...slice, services };
    }
    case 'console.rolesChanged':
      return { ...slice, roles: event.payload.roles };
    case 'console.closeRequested':
      return { ...slice, closeRequest: event.payload };
    default:
      return slice;
  }
}

function applyToProvider(slice: ProviderSlice, event: TypedEvent): ProviderSlice {
  switch (event.name) {
    case 'certificate.installed': {
      const { slot, certificate } = event.payload;
      return { ...slice, certificates: { ...slice.certificates, [slot]: certificate } };
    }
    case 'certificate.rolloverChanged':
      return { ...slice, rollover: event.payload.rollover };
    case 'license.changed':
      return { ...slice, license: event.payload };
    case 'certificate.usageChanged':
      return { ...slice, usageRevision: slice.usageRevision + 1 };
    case 'gateways.changed':
      return { ...slice, gateways: upsertRow(slice.gateways, event.payload) };
    case 'gateways.removed':
      return { ...slice, gateways: removeRow(slice.gateways, event.payload.gatewayId) };
    case 'tenants.changed':
      return { ...slice, tenants: upsertRow(slice.tenants, event.payload) };
    case 'tenants.removed':
      return { ...slice, tenants: removeRow(slice.tenants, event.payload.tenantId) };
    case 'repositories.changed':
      return { ...slice, repositories: upsertRow(slice.repositories, event.payload) };
    case 'repositories.removed':
      return { ...slice, repositories: removeRow(slice.repositories, event.payload.repositoryId) };
    case 'sessions.changed':
    case 'sessions.progressed':
      return { ...slice, sessions: withSession(slice.sessions, event) };
    default:
      return slice;
  }
}

function applyToTenant(slice: TenantSlice, event: TypedEvent): TenantSlice {
  switch (event.name) {
    case 'serviceProviders.changed':
      return { ...slice, providers: upsertRow(slice.providers, event.payload) };
    case 'serviceProviders.removed':
      return { ...slice, providers: removeRow(slice.providers, event.payload.providerId) };
    case 'jobs.changed':
      return { ...slice, jobs: upsertRow(slice.jobs, event.payload) };
    case 'jobs.removed':
      return { ...slice, jobs: removeRow(slice.jobs, event.payload.jobId) };
    case 'trust.promptRaised':
      return { ...slice, prompts: upsertRow(slice.prompts, event.payload) };
    case 'trust.announcement':
      return { ...slice, announcements: [event.payload, ...slice.announcements].slice(0, mostAnnouncements) };
    case 'trust.promptSettled':
      return { ...slice, prompts: removeRow(slice.prompts, event.payload.promptId) };
    case 'sessions.changed':
    case 'sessions.progressed':
      return { ...slice, sessions: withSession(slice.sessions, event) };
    default:
      return slice;
  }
}

function applyToGateway(slice: GatewaySlice, event: TypedEvent): GatewaySlice {
  return event.name === 'gatewayNode.statusChanged' ? { ...slice, node: event.payload } : slice;
}

export function applyEvent(state: MirrorState, target: CallTarget, event: TypedEvent): MirrorState {
  switch (target) {
    case 'console': {
      const slice = applyToConsole(state.console, event);
      return slice === state.console ? state : { ...state, console: slice };
    }
    case 'gateway': {
      const slice = applyToGateway(state.gateway, event);
      return slice === state.gateway ? state : { ...state, gateway: slice };
    }
    case 'provider': {
      const slice = applyToProvider(state.provider, event);
      const openSessions = applySessionEvent(state.openSessions, 'provider', event);
      return slice === state.provider && openSessions === state.openSessions
        ? state
        : { ...state, provider: slice, openSessions };
    }
    case 'tenant': {
      const slice = applyToTenant(state.tenant, event);
      const openSessions = applySessionEvent(state.openSessions, 'tenant', event);
      return slice === state.tenant && openSessions === state.openSessions
        ? state
        : { ...state, tenant: slice, openSessions };
    }
  }
}
