// Owns the shape of the renderer's copy of what the services know. Only snapshots and events change it; features must not.
import type { ServiceRole } from '../../../services/contracts/contract.ts';
import type { ErrorInfo } from '../../../services/contracts/errors.ts';
import type { CertificateSlot, Rollover, StoredCertificate } from '../../../services/contracts/models/certificate.ts';
import type { LicenseSummary } from '../../../services/contracts/models/license.ts';
import type { Gateway, Repository, TenantAccount } from '../../../services/contracts/models/provider.ts';
import type { SupervisedService } from '../../../services/contracts/models/service.ts';
import type { SessionDetail, SessionSummary, ThroughputSample } from '../../../services/contracts/models/session.ts';
import type { Job, RestorePoint, ServiceProvider, UnreadablePoint } from '../../../services/contracts/models/tenant.ts';
import type { Pin, TrustPrompt } from '../../../services/contracts/models/trust.ts';
import type { Preferences } from '../../../services/contracts/rpc/console.ts';
import type { CommandOutput, EventPayload } from '../../../services/contracts/contract.ts';
import type { LeftOutRows } from '../../../services/contracts/row-list.ts';
import type { consoleDomain } from '../../../services/contracts/rpc/console.ts';
import type { trustDomain } from '../../../services/contracts/rpc/trust.ts';
import type { gatewayNodeDomain } from '../../../services/contracts/rpc/gateway-node.ts';

/** `waiting`: the service is not running yet. Old data stays visible during this time. */
export type LoadState = 'waiting' | 'loading' | 'ready' | 'failed';

export interface Loaded {
  readonly load: LoadState;
  readonly loadError: ErrorInfo | null;
}

/** Rows that the lists of a snapshot lack, because they are damaged or from another version. */
export interface WithLeftOut {
  readonly leftOut: readonly LeftOutRows[];
}

export type ConsoleInfo = CommandOutput<typeof consoleDomain, 'info'>;

export interface ConsoleSlice extends Loaded {
  readonly info: ConsoleInfo | null;
  readonly roles: readonly ServiceRole[];
  readonly services: readonly SupervisedService[];
  readonly preferences: Preferences | null;
  /** What an exit stops, while the console asks whether to close; else null. */
  readonly closeRequest: EventPayload<typeof consoleDomain, 'closeRequested'> | null;
}

export interface ProviderSlice extends Loaded, WithLeftOut {
  readonly gateways: readonly Gateway[];
  readonly tenants: readonly TenantAccount[];
  readonly repositories: readonly Repository[];
  readonly certificates: Readonly<Record<CertificateSlot, StoredCertificate | null>>;
  readonly sessions: readonly SessionSummary[];
  /** Counts changes of who relies on a certificate. Lists that show this fetch again after a change. */
  readonly usageRevision: number;
  /** The announced change of the provider identity. */
  readonly rollover: Rollover | null;
  readonly license: LicenseSummary | null;
}

export interface PointsSlice extends Loaded, WithLeftOut {
  /** True once a page has needed the restore points. They are not fetched earlier, because a fetch connects to each provider. */
  readonly isWanted: boolean;
  readonly items: readonly RestorePoint[];
  readonly unreachable: readonly { readonly provider: string; readonly message: string }[];
  /** Restore points that exist but cannot be restored. The user can delete them. */
  readonly unreadable: readonly UnreadablePoint[];
}

/** A provider's announcement of its next certificate, and its outcome. */
export type Announcement = EventPayload<typeof trustDomain, 'announcement'>;

export interface TenantSlice extends Loaded, WithLeftOut {
  readonly providers: readonly ServiceProvider[];
  readonly jobs: readonly Job[];
  readonly points: PointsSlice;
  readonly prompts: readonly TrustPrompt[];
  readonly pins: readonly Pin[];
  /** Announcements of providers while this window was open, newest first. */
  readonly announcements: readonly Announcement[];
  readonly sessions: readonly SessionSummary[];
}

export type GatewayNodeStatus = CommandOutput<typeof gatewayNodeDomain, 'status'>;

export interface GatewaySlice extends Loaded {
  readonly node: GatewayNodeStatus | null;
}

/** A session that a view has open. */
export interface OpenSession extends Loaded, WithLeftOut {
  readonly detail: SessionDetail | null;
  readonly samples: readonly ThroughputSample[];
}

export interface MirrorState {
  readonly console: ConsoleSlice;
  readonly provider: ProviderSlice;
  readonly gateway: GatewaySlice;
  readonly tenant: TenantSlice;
  /** Key: `openSessionKey`. */
  readonly openSessions: Readonly<Record<string, OpenSession>>;
}

const notLoaded: Loaded = { load: 'waiting', loadError: null };

export const emptyOpenSession: OpenSession = { ...notLoaded, detail: null, samples: [], leftOut: [] };

export const emptyMirror: MirrorState = {
  console: { ...notLoaded, info: null, roles: [], services: [], preferences: null, closeRequest: null },
  provider: {
    ...notLoaded,
    leftOut: [],
    gateways: [],
    tenants: [],
    repositories: [],
    certificates: { server: null, provider: null },
    sessions: [],
    usageRevision: 0,
    rollover: null,
    license: null,
  },
  gateway: { ...notLoaded, node: null },
  tenant: {
    ...notLoaded,
    leftOut: [],
    providers: [],
    jobs: [],
    points: { ...notLoaded, isWanted: false, items: [], unreachable: [], unreadable: [], leftOut: [] },
    prompts: [],
    pins: [],
    announcements: [],
    sessions: [],
  },
  openSessions: {},
};

export function openSessionKey(side: 'provider' | 'tenant', sessionId: string): string {
  return `${side}/${sessionId}`;
}
