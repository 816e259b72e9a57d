// Owns typed examples of service answers, for unit tests and for the preview without services. Never shipped.
import type { CertificateSummary, StoredCertificate } from '../../services/contracts/models/certificate.ts';
import type { Gateway, Repository, TenantAccount } from '../../services/contracts/models/provider.ts';
import type { SupervisedService } from '../../services/contracts/models/service.ts';
import { noProgress, type SessionSummary } from '../../services/contracts/models/session.ts';
import type { Job, RestorePoint, ServiceProvider } from '../../services/contracts/models/tenant.ts';
import type { TrustPrompt } from '../../services/contracts/models/trust.ts';

export function idOf(number: number): string {
  return number.toString(16).padStart(32, '0');
}

const pairs = (seed: number, count: number): string =>
  Array.from({ length: count }, (_item, index) =>
    ((seed * 37 + index * 71 + ((index * seed) % 13) * 19) % 256).toString(16).padStart(2, '0'),
  )
    .join(':')
    .toUpperCase();

const words =
  'quota vampire billiard hydraulic crucial sociable retouch antenna tycoon embezzle village celebrate sawdust disable stagnate potato';

export function certificateOf(seed: number, changes: Partial<CertificateSummary> = {}): CertificateSummary {
  return {
    subject: 'CN=Northwind Hosting, O=Northwind Hosting',
    issuer: 'CN=Northwind Hosting, O=Northwind Hosting',
    commonName: 'Northwind Hosting',
    isSelfSigned: true,
    notBefore: '2026-11-20T08:00:00.000Z',
    notAfter: '2036-11-18T08:00:00.000Z',
    serialNumber: pairs(seed + 3, 16),
    dnsNames: [],
    ipAddresses: [],
    keyType: 'RSA-3072',
    signatureAlgorithm: 'SHA-256 with RSA',
    sha256: pairs(seed, 32),
    sha1: pairs(seed + 1, 20),
    sha256Words: [...words.split(' '), ...words.split(' ').toReversed()],
    isAuthority: false,
    hasServerAuth: true,
    pem: '-----BEGIN CERTIFICATE-----\nMIIEtest\n-----END CERTIFICATE-----\n',
    ...changes,
  };
}

export const keyProtectionExample = {
  kind: 'key-file',
  description: 'Encrypted with a key file that only this account can read.',
  readers: ['root'],
  warnings: [],
} as const satisfies Record<string, unknown>;

export function storedCertificateOf(seed: number, changes: Partial<StoredCertificate> = {}): StoredCertificate {
  return {
    id: idOf(1000 + seed),
    friendlyName: 'Farkeep provider certificate',
    origin: 'generated-at-first-start',
    storedAt: '2026-11-20T08:00:00.000Z',
    summary: certificateOf(seed),
    chainLength: 0,
    installedInSlots: ['provider'],
    keyProtection: { ...keyProtectionExample, readers: [...keyProtectionExample.readers], warnings: [] },
    ...changes,
  };
}

export function sessionOf(number: number, changes: Partial<SessionSummary> = {}): SessionSummary {
  return {
    id: idOf(number),
    kind: 'backup',
    jobName: 'Nightly documents',
    otherSide: 'Northwind Hosting',
    repository: 'Repository 1',
    state: 'succeeded',
    attempt: 1,
    createdAt: '2026-11-21T21:04:12.000Z',
    endedAt: '2026-11-21T21:07:53.000Z',
    progress: {
      ...noProgress,
      totalBytes: 111_300_000_000,
      totalFiles: 52_100,
      processedBytes: 111_300_000_000,
      processedFiles: 52_100,
      readBytes: 12_400_000_000,
      transferredBytes: 4_100_000_000,
      safeBytes: 111_300_000_000,
    },
    warningCount: 0,
    error: null,
    hasSecurityWarning: false,
    pointId: idOf(7000 + number),
    ...changes,
  };
}

export function serviceOf(
  role: SupervisedService['role'],
  changes: Partial<SupervisedService> = {},
): SupervisedService {
  const listeners = {
    provider: { control: '127.0.0.1:6170', infrastructure: '127.0.0.1:6169' },
    gateway: { gateway: '0.0.0.0:6180' },
    tenant: {},
  };
  return {
    role,
    state: 'running',
    origin: 'started',
    canStartHere: false,
    reason: null,
    error: null,
    pid: 4711,
    restarts: 0,
    incarnation: 1,
    listeners: { ...listeners[role] },
    ...changes,
  };
}

export function gatewayOf(number: number, changes: Partial<Gateway> = {}): Gateway {
  return {
    id: idOf(2000 + number),
    name: `gw${number}`,
    addresses: [{ host: `gw${number}.northwind.example`, port: 6180 }],
    isEnabled: true,
    state: 'connected',
    enrolledAt: '2026-11-01T08:00:00.000Z',
    lastSeenAt: '2026-11-21T21:00:00.000Z',
    connections: 4,
    relayedBytes: 912_000_000_000,
    refusedConnections: 3,
    isCoveredByCertificate: true,
    ...changes,
  };
}

export function tenantOf(number: number, changes: Partial<TenantAccount> = {}): TenantAccount {
  return {
    id: idOf(3000 + number),
    name: `tenant-${number}`,
    isEnabled: true,
    createdAt: '2026-11-02T08:00:00.000Z',
    leaseUntil: null,
    quotas: [{ repository: 'Repository 1', limitBytes: 500_000_000_000, usedBytes: 42_000_000_000 * (number % 11) }],
    lastLoginAt: '2026-11-21T21:04:12.000Z',
    activeSessions: number === 1 ? 1 : 0,
    ...changes,
  };
}

export function repositoryOf(number: number, changes: Partial<Repository> = {}): Repository {
  return {
    id: idOf(4000 + number),
    name: `Repository ${number}`,
    folder: `/srv/farkeep/repository-${number}`,
    createdAt: '2026-11-01T08:00:00.000Z',
    freeBytes: 7_200_000_000_000,
    usedBytes: 2_800_000_000_000,
    tenants: 12,
    points: 431,
    problem: null,
    ...changes,
  };
}

export function serviceProviderOf(number: number, changes: Partial<ServiceProvider> = {}): ServiceProvider {
  return {
    id: idOf(5000 + number),
    name: 'Northwind Hosting',
    host: 'gw1.northwind.example',
    port: 6180,
    userName: 'contoso',
    addedAt: '2026-11-02T08:00:00.000Z',
    certificate: certificateOf(5),
    trust: 'pinned',
    repositories: [{ name: 'Repository 1', limitBytes: 500_000_000_000, usedBytes: 120_000_000_000 }],
    gateways: [
      { name: 'gw1', host: 'gw1.northwind.example', port: 6180, isUsable: true, reason: null },
      {
        name: 'gw2',
        host: 'gw.other.example',
        port: 6180,
        isUsable: false,
        reason: 'The certificate does not cover gw.other.example.',
      },
    ],
    lastContactAt: '2026-11-21T21:04:12.000Z',
    problem: null,
    problemCode: null,
    ...changes,
  };
}

export function jobOf(number: number, changes: Partial<Job> = {}): Job {
  return {
    id: idOf(6000 + number),
    name: number === 1 ? 'Nightly documents' : `Job ${number}`,
    sourcePaths: ['/srv/documents'],
    excludes: [],
    providerId: idOf(5001),
    providerName: 'Northwind Hosting',
    repository: 'Repository 1',
    streams: 2,
    createdAt: '2026-11-02T08:00:00.000Z',
    runningSessionId: null,
    lastRun: { sessionId: idOf(2), state: 'succeeded', endedAt: '2026-11-21T21:07:53.000Z' },
    ...changes,
  };
}

export function pointOf(number: number, changes: Partial<RestorePoint> = {}): RestorePoint {
  return {
    id: idOf(7000 + number),
    job: 'Nightly documents',
    jobId: idOf(6001),
    providerName: 'Northwind Hosting',
    repository: 'Repository 1',
    createdAt: new Date(Date.parse('2026-10-01T21:07:53.000Z') + number * 86_400_000).toISOString(),
    sourceBytes: 111_300_000_000 + number * 120_000_000,
    files: 52_100 + number,
    encrypted: false,
    warnings: number % 5 === 0 ? 2 : 0,
    ...changes,
  };
}

export function promptOf(kind: TrustPrompt['kind'], changes: Partial<TrustPrompt> = {}): TrustPrompt {
  return {
    id: idOf(8001),
    kind,
    identity: kind === 'changed' ? 'Northwind Hosting' : 'gw1.northwind.example',
    gateway: { host: 'gw1.northwind.example', port: 6180 },
    raisedAt: '2026-11-21T21:04:12.000Z',
    announcedFor: null,
    reasons: kind === 'changed' ? ['chain.self-signed', 'pin.changed'] : ['chain.self-signed'],
    presented: certificateOf(9),
    saved:
      kind === 'changed'
        ? certificateOf(5, { notBefore: '2026-02-03T08:00:00.000Z', notAfter: '2036-02-01T08:00:00.000Z' })
        : null,
    savedAt: kind === 'changed' ? '2026-02-03T09:00:00.000Z' : null,
    waitingJob: kind === 'changed' ? 'Nightly documents' : null,
    ...changes,
  };
}
