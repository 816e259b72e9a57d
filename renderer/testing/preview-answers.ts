// Owns the answers of the preview bridge, by domain and command. Each answer fits the contract; the client checks that.
import { thumbprintDigits } from '../../services/contracts/models/thumbprint.ts';
import { exampleSamples, exampleSession } from './example-session.ts';
import {
  certificateOf,
  gatewayOf,
  idOf,
  jobOf,
  keyProtectionExample,
  pointOf,
  promptOf,
  repositoryOf,
  serviceOf,
  serviceProviderOf,
  sessionOf,
  storedCertificateOf,
  tenantOf,
} from './fixtures.ts';
import { previewFolder, sceneSession, showSession } from './preview-session.ts';
import { PreviewFailure } from './preview-failure.ts';
import type { PreviewScene } from './preview-scene.ts';

type Publish = (
  target: 'console' | 'provider' | 'gateway' | 'tenant',
  domain: string,
  event: string,
  payload: unknown,
) => void;
type Answer = (input: unknown, isCanceled: () => boolean) => unknown;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const inputOf = (input: unknown): Readonly<Record<string, unknown>> =>
  typeof input === 'object' && input !== null ? Object.fromEntries(Object.entries(input)) : {};

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function many<T>(count: number, make: (number: number) => T): T[] {
  return Array.from({ length: count }, (_item, index) => make(index + 1));
}

const networkExample = {
  provider: {
    file: '/srv/admin/.farkeep/provider.json',
    error: null,
    settings: {
      name: 'Northwind Hosting',
      control: { host: '10.0.0.5', port: 6170 },
      infrastructure: { host: '0.0.0.0', port: 6169 },
      infrastructureAddress: 'provider.northwind.example',
      moverHost: '10.0.0.5',
      advertisedHost: null,
    },
  },
  gateway: {
    file: '/srv/admin/.farkeep/gateway.json',
    error: null,
    settings: { name: 'gw1', listen: [{ host: '::', port: 6180 }] },
  },
  tenant: { file: '/srv/admin/.farkeep/tenant.json', error: null, settings: { hostAddresses: {} } },
  ownAddresses: [{ address: '10.0.0.5', networkInterface: 'eth0' }],
};

export function previewAnswers(scene: PreviewScene, publish: Publish): Readonly<Record<string, Answer>> {
  let roles: string[] = [...scene.roles];
  let preferences: Record<string, unknown> = {
    theme: scene.theme,
    lastPage: scene.page,
    areNotificationsOn: { finished: true, failed: true, security: true },
    tables: {},
    zoom: 1,
    keepRunningInTray: 'ask',
  };
  let certificateSettings = {
    keyBits: 3072,
    protection: {
      kind: 'key-file',
      description: 'Encrypted; key file stored next to the certificate store',
      keychain: 'the macOS Keychain' as string | null,
    },
  };
  const list = <T>(items: T[]): T[] => (scene.isEmpty ? [] : items);
  const installed = {
    server: storedCertificateOf(3, { installedInSlots: ['server'] }),
    provider: storedCertificateOf(5),
  };
  const candidate = (friendlyName: unknown, changes = {}) => ({
    candidateId: idOf(99),
    friendlyName: String(friendlyName),
    summary: certificateOf(17, changes),
    chainLength: 0,
    warnings: [],
    keyProtection: keyProtectionExample,
  });
  const running = exampleSession('tenant', sceneSession(scene));
  const asProvider = exampleSession('provider', sceneSession(scene));
  const sessions = (side: 'tenant' | 'provider') =>
    list([
      side === 'tenant' ? running : asProvider,
      ...many(40, (number) =>
        sessionOf(number + 1, {
          state: number % 9 === 0 ? 'failed' : number % 5 === 0 ? 'warning' : 'succeeded',
          jobName: number % 3 === 0 ? 'Mail' : 'Nightly documents',
          otherSide: side === 'tenant' ? 'Northwind Hosting' : 'contoso',
          createdAt: new Date(Date.parse('2026-11-21T21:04:12.000Z') - number * 86_400_000).toISOString(),
          endedAt: new Date(Date.parse('2026-11-21T21:07:12.000Z') - number * 86_400_000).toISOString(),
        }),
      ),
    ]);
  return {
    'console.info': () => ({
      version: '0.1.0',
      electron: '45.4.1',
      chromium: '150.0',
      home: '/srv/admin/.farkeep',
      platform: 'linux',
      logFolder: '/srv/admin/.farkeep/logs',
    }),
    'console.getRoles': () => ({ roles }),
    'console.setRoles': (input) => {
      roles = [...(inputOf(input)['roles'] as string[])];
      publish('console', 'console', 'rolesChanged', { roles });
      for (const role of ['provider', 'gateway', 'tenant'] as const) {
        publish(
          'console',
          'console',
          'serviceChanged',
          serviceOf(role, { state: roles.includes(role) ? 'running' : 'stopped' }),
        );
      }
      return { roles };
    },
    'console.listServices': () => ({
      services: [serviceOf('provider'), serviceOf('gateway'), serviceOf('tenant', { restarts: 1 })],
    }),
    'console.getAutostart': () => ({
      ...{ method: 'systemd', reason: null, isLoginItemOn: false },
      units: roles.map((role) => ({
        ...{ role, isOn: false, file: `/srv/ann/.config/systemd/user/farkeep-${role}.service` },
        ...{ text: '[Unit]\n', commands: [`systemctl --user enable --now farkeep-${role}.service`] },
      })),
    }),
    'console.stopService': (input) => serviceOf(inputOf(input)['role'] as 'tenant', { state: 'stopped', pid: null }),
    'console.startService': (input) => serviceOf(inputOf(input)['role'] as 'tenant'),
    'console.getNetwork': () => networkExample,
    'console.setNetwork': (input) => ({
      network: networkExample,
      isRestarted: true,
      service: serviceOf(inputOf(input)['role'] as 'tenant'),
    }),
    'console.checkAddress': () => ({ reach: 'this-computer', outcome: 'own-service', program: null, detail: '' }),
    'console.getPreferences': () => preferences,
    'console.setPreferences': (input) => (preferences = { ...preferences, ...inputOf(input) }),
    'console.chooseFolder': () => ({ path: '/srv/documents' }),
    'console.chooseFile': () => ({ path: '/srv/admin/northwind.pfx' }),
    'console.saveText': () => ({ path: '/srv/admin/file.json' }),
    'console.copyText': () => ({}),
    'console.showLogFiles': () => ({}),
    'console.prepareSample': () => ({ sourcePath: '/tmp/sample', repositoryPath: '/tmp/repository' }),
    'console.answerClose': () => ({}),
    'console.quit': () => ({}),

    'certificate.show': (input) => installed[inputOf(input)['slot'] as 'server' | 'provider'],
    'certificate.describeGenerate': () => ({
      subject: 'CN=Northwind Hosting, O=Northwind Hosting',
      keyBits: 3072,
      validYears: 10,
      keyProtection: keyProtectionExample,
    }),
    'certificate.getSettings': () => certificateSettings,
    'certificate.setSettings': (input) => {
      const { keyBits, protection } = inputOf(input) as Partial<{ keyBits: number; protection: string }>;
      certificateSettings = {
        keyBits: keyBits ?? certificateSettings.keyBits,
        protection: { ...certificateSettings.protection, ...(protection === undefined ? {} : { kind: protection }) },
      };
      return certificateSettings;
    },
    'certificate.generate': async (input, isCanceled) => {
      await sleep(1500);
      if (isCanceled()) throw new PreviewFailure('call.canceled', 'Canceled.');
      return candidate(inputOf(input)['friendlyName']);
    },
    'certificate.listPickable': () => ({
      certificates: many(14, (number) => ({
        pickId: `letsencrypt:${number}`,
        store: '/etc/letsencrypt/live',
        issuedTo: `backup${number}.northwind.example`,
        issuedBy: "Let's Encrypt R11",
        friendlyName: `backup${number}`,
        notAfter: '2027-01-20T08:00:00.000Z',
        unusableReason: number % 4 === 0 ? 'The account “admin” cannot read privkey.pem.' : null,
      })),
      unreadableStores: [],
    }),
    'certificate.pick': () =>
      candidate('backup1', {
        isSelfSigned: false,
        issuer: "CN=R11, O=Let's Encrypt, C=US",
        dnsNames: ['backup1.northwind.example'],
      }),
    'certificate.importFile': async (input) => {
      await sleep(400);
      if (inputOf(input)['password'] !== 'secret')
        throw new PreviewFailure('certificate.wrong-password', 'northwind.pfx cannot be opened with this password.');
      return candidate('northwind', {
        isSelfSigned: false,
        issuer: "CN=R11, O=Let's Encrypt, C=US",
        dnsNames: ['*.northwind.example', 'northwind.example'],
      });
    },
    'certificate.install': (input) => {
      const slot = inputOf(input)['slot'] as 'server' | 'provider';
      installed[slot] = storedCertificateOf(17, {
        origin: 'generated',
        installedInSlots: [slot],
        friendlyName: 'Northwind 2026',
      });
      publish('provider', 'certificate', 'installed', { slot, certificate: installed[slot] });
      return installed[slot];
    },
    'certificate.usage': () => ({
      users: list([
        ...many(12, (number) => ({
          kind: 'tenant' as const,
          name:
            number === 3
              ? 'tenant-of-an-organization-with-a-name-that-goes-on-for-very-long.example.test'
              : `tenant-${number}`,
          state: (['pending', 'informed', 'updated', 're-accepted', 'failed'] as const)[number % 5],
          lastSeenAt: number % 5 === 0 ? null : '2026-11-21T21:04:12.000Z',
          seenSha256: null,
          note: [
            'Does not know of the announced certificate yet; learns it when it connects',
            'Has stored the announced certificate',
            null,
            'A person at the tenant compared and accepted the certificate',
            'Refused the announcement: the signature does not fit the certificate in service',
          ][number % 5],
        })),
        {
          kind: 'invitation' as const,
          name: 'tenant-13',
          state: 'failed' as const,
          lastSeenAt: null,
          seenSha256: certificateOf(4).sha256,
          note: 'Open until 2026-11-30, but contains the old thumbprint. Send a new invitation',
        },
        { kind: 'gateway' as const, name: 'gw1', state: 'updated' as const, lastSeenAt: '2026-11-21T21:04:12.000Z' },
      ]),
      total: scene.isEmpty ? 0 : 14,
    }),
    'certificate.showRollover': () => ({
      rollover: scene.isEmpty
        ? null
        : {
            next: storedCertificateOf(17, {
              friendlyName: 'Northwind 2027',
              origin: 'generated',
              installedInSlots: [],
            }),
            currentSha256: certificateOf(5).sha256,
            announcedAt: '2026-11-21T08:00:00.000Z',
            switchAt: '2026-12-21T12:00:00.000Z',
            tenants: { total: 12, informed: 9, failed: 0 },
            problem: null,
          },
    }),
    'certificate.cancelRollover': () => ({}),
    'license.show': () => ({
      organization: 'Northwind Hosting',
      edition: 'community',
      expiresAt: null,
      isCommunity: true,
      problem: null,
    }),
    'trust.getSettings': () => ({
      crlFiles: [],
      rootFiles: ['/etc/farkeep/our-root.pem'],
      canFetchCrl: true,
      isRevocationRequired: false,
      canTrustFirstUse: false,
      problems: [],
    }),
    'trust.exportHosts': () => ({ text: '{}', count: 1 }),
    'gateways.list': () => ({
      gateways: list([
        gatewayOf(1),
        gatewayOf(2, { state: 'disconnected', isCoveredByCertificate: false }),
        gatewayOf(3, { state: 'waiting-for-enrollment', enrolledAt: null, lastSeenAt: null }),
      ]),
    }),
    'gateways.createEnrollToken': (input) => {
      const gateway = gatewayOf(9, {
        name: String(inputOf(input)['name']),
        state: 'waiting-for-enrollment',
        addresses: inputOf(input)['addresses'] as [],
      });
      publish('provider', 'gateways', 'changed', gateway);
      return {
        gateway,
        token: 'fkgt1.eyJnYXRld2F5IjoiZ3c5In0.vY0b1nVnVj3mYbM0gqv3E1qjJ8Kj2VwQpU4b',
        expiresAt: '2026-11-22T21:00:00.000Z',
      };
    },
    'gateways.renewEnrollToken': () => ({
      gateway: gatewayOf(1),
      token: 'fkgt1.eyJnYXRld2F5IjoiZ3cxIn0.vY0b1nVnVj3mYbM0gqv3E1qjJ8Kj2VwQpU4b',
      expiresAt: '2026-11-22T21:00:00.000Z',
    }),
    'gateways.set': (input) => gatewayOf(1, { name: String(inputOf(input)['name']) }),
    'gateways.setEnabled': (input) => gatewayOf(1, { isEnabled: inputOf(input)['isEnabled'] === true }),
    'gateways.remove': () => ({}),
    'gateways.doctor': () => ({
      checks: [
        { gateway: 'gw1', check: 'enrolled', outcome: 'ok', message: 'Enrolled on Nov 1, 2026.', help: '' },
        { gateway: 'gw1', check: 'link', outcome: 'ok', message: 'The link is up.', help: '' },
        {
          gateway: 'gw2',
          check: 'port',
          outcome: 'failed',
          message: 'TCP 6180 of gw2.northwind.example does not answer.',
          help: 'Open the port in the firewall.',
        },
        {
          gateway: 'gw2',
          check: 'name-covered',
          outcome: 'warning',
          message: 'The certificate does not cover gw2.northwind.example.',
          help: 'Install a certificate that names it.',
        },
      ],
    }),
    'tenants.list': () => ({ tenants: list(many(scene.rows, (number) => tenantOf(number))) }),
    'tenants.add': (input) => tenantOf(99, { name: String(inputOf(input)['name']) }),
    'tenants.set': (input) => tenantOf(1, inputOf(input)),
    'tenants.remove': () => ({}),
    'tenants.invite': () => ({
      invitation: {
        farkeepInvitation: 1,
        provider: 'Northwind Hosting',
        gateways: [{ host: 'gw1.northwind.example', port: 6180 }],
        user: 'contoso',
        secret: 'once',
        fingerprint: certificateOf(5).sha256,
        expiresAt: '2026-11-24T21:00:00.000Z',
      },
    }),
    'repositories.list': () => ({
      repositories: list([
        repositoryOf(1),
        repositoryOf(2, {
          freeBytes: 12_000_000_000,
          problem: 'The folder /srv/farkeep/repository-2 cannot be written.',
        }),
      ]),
    }),
    'repositories.add': (input) => repositoryOf(9, { name: String(inputOf(input)['name']) }),
    'repositories.remove': () => ({}),
    'repositories.verify': async () => {
      await sleep(1200);
      return {
        ok: true,
        packs: 4120,
        points: 431,
        damaged: [],
        settled: [],
        soundAgainBlocks: 0,
        markingProblem: null,
      };
    },
    'gatewayNode.status': () => ({
      isEnrolled: !scene.isEmpty,
      link: scene.isEmpty ? 'not-enrolled' : 'connected',
      linkReason: null,
      providerAddress: '127.0.0.1:6169',
      listeners: ['0.0.0.0:6180'],
      connections: 6,
      relayedBytes: 912_000_000_000,
      refusedConnections: 3,
      startedAt: '2026-11-21T20:00:00.000Z',
    }),
    'gatewayNode.enroll': () => {
      const status = {
        isEnrolled: true,
        link: 'connected',
        linkReason: null,
        providerAddress: '127.0.0.1:6169',
        listeners: ['0.0.0.0:6180'],
        connections: 0,
        relayedBytes: 0,
        refusedConnections: 0,
        startedAt: '2026-11-21T20:00:00.000Z',
      };
      publish('gateway', 'gatewayNode', 'statusChanged', status);
      return status;
    },
    'serviceProviders.list': () => ({ providers: list([serviceProviderOf(1)]) }),
    'serviceProviders.probe': async () => {
      await sleep(500);
      return {
        decision: 'refused',
        reasons: ['chain.self-signed'],
        certificate: certificateOf(9),
        tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', group: 'X25519MLKEM768' },
        prompt: promptOf('untrusted'),
      };
    },
    'serviceProviders.add': () => serviceProviderOf(1),
    'serviceProviders.accept': () => serviceProviderOf(1),
    'serviceProviders.rescan': () => serviceProviderOf(1),
    'serviceProviders.remove': () => ({}),
    'trust.listPrompts': () => ({ prompts: scene.prompt === 'none' ? [] : [promptOf(scene.prompt)] }),
    'trust.verifyThumbprint': (input) => {
      const digits = String(inputOf(input)['pasted'])
        .replaceAll(/[^0-9a-fA-F]/g, '')
        .toUpperCase();
      if (digits.length !== 64 && digits.length !== 40)
        throw new PreviewFailure('trust.thumbprint-malformed', `The text has ${digits.length} hex digits.`);
      const { sha256, sha1 } = certificateOf(9);
      return {
        isMatch: [sha256, sha1].some((thumbprint) => thumbprintDigits(thumbprint) === digits),
        algorithm: digits.length === 40 ? 'SHA-1' : 'SHA-256',
      };
    },
    'trust.answerPrompt': (input) => {
      publish('tenant', 'trust', 'promptSettled', {
        promptId: inputOf(input)['promptId'],
        answer: inputOf(input)['answer'],
      });
      return {};
    },
    'trust.listPins': () => ({
      pins: list([
        {
          id: idOf(81),
          identity: 'Northwind Hosting',
          state: 'current' as const,
          pinnedAt: '2026-11-02T08:00:00.000Z',
          certificate: certificateOf(5),
        },
      ]),
    }),
    'trust.revokePin': () => ({}),
    'trust.journal': () => ({
      entries: list(
        many(3, (number) => ({
          sequence: number,
          at: '2026-11-02T08:00:00.000Z',
          who: 'admin (console)',
          action: (['accepted', 'refused', 'revoked'] as const)[number - 1],
          identity: 'Northwind Hosting',
          address: 'gw1.northwind.example:6180',
          sha256: certificateOf(5).sha256,
          note: 'Compared by SHA-256',
          hash: 'ab'.repeat(32),
        })),
      ),
      isIntact: true,
      brokenAt: null,
    }),
    'jobs.list': () => ({
      jobs: list([
        jobOf(1, { runningSessionId: idOf(1) }),
        jobOf(2),
        jobOf(3, { lastRun: null }),
        ...many(scene.rows - 3, (number) => jobOf(number + 3)),
      ]),
    }),
    'jobs.add': () => jobOf(1),
    'jobs.run': () => ({ sessionId: idOf(1) }),
    'jobs.remove': () => ({}),
    'points.list': () => ({ points: list(many(51, (number) => pointOf(number))), unreachable: [] }),
    'points.listFolder': (input) => ({
      entries: previewFolder(textOf(inputOf(input)['path'])),
      isTruncated: false,
    }),
    'points.find': () => ({ entries: previewFolder('Documents'), isTruncated: false }),
    'points.delete': () => ({
      pointId: idOf(1),
      providerName: 'northwind',
      repository: 'main',
      deletedAt: new Date(0).toISOString(),
    }),
    'points.restore': () => ({ sessionId: idOf(1) }),
    'tenant.sessions.list': () => ({ sessions: sessions('tenant') }),
    'provider.sessions.list': () => ({ sessions: sessions('provider') }),
    'tenant.sessions.show': (input) => showSession(running, input),
    'provider.sessions.show': (input) => showSession(asProvider, input),
    'sessions.throughput': () => ({ samples: scene.session === 'starting' ? [] : exampleSamples() }),
    'sessions.cancel': () => ({}),
    'sessions.evidence': () => ({
      farkeepEvidence: 1,
      statement: '{}',
      signature: null,
      algorithm: null,
      certificate: null,
    }),
  };
}
