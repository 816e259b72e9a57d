// Owns the list of command groups. Each group's code is loaded only when it is used, so that every command starts quickly.
import type { RegisterCommands } from './command-context.ts';

export interface CommandGroup {
  readonly name: string;
  readonly description: string;
  readonly load: () => Promise<RegisterCommands>;
}

export const commandGroups: readonly CommandGroup[] = [
  {
    name: 'demo',
    description: 'provider, gateway and tenant on this machine; one real backup and restore, verified',
    load: async () => (await import('./commands/demo.ts')).registerDemo,
  },
  {
    name: 'serve',
    description: 'run one service in the foreground: provider, gateway, tenant',
    load: async () => (await import('./commands/serve.ts')).registerServe,
  },
  {
    name: 'service',
    description: 'settings of a service and its start with the computer (systemd): show, set, unit, install, uninstall',
    load: async () => (await import('./commands/service.ts')).registerService,
  },
  {
    name: 'status',
    description: 'services, running sessions, certificates that expire',
    load: async () => (await import('./commands/status.ts')).registerStatus,
  },
  {
    name: 'diagnostics',
    description: 'a zip for support: versions, configuration, states, logs; without secrets',
    load: async () => (await import('./commands/diagnostics.ts')).registerDiagnostics,
  },
  {
    name: 'certificate',
    description:
      'certificates of the provider: list, show, generate, import, pick, install, rename, remove, usage, settings, rollover',
    load: async () => (await import('./commands/certificate/certificate.ts')).registerCertificate,
  },
  {
    name: 'license',
    description: 'the license of the provider: show, import; for distributors: new-key, issue',
    load: async () => (await import('./commands/license.ts')).registerLicense,
  },
  {
    name: 'trust',
    description:
      'trust decisions of a tenant: check, list, accept, refuse, revoke, reinstate, journal, export, import, settings',
    load: async () => (await import('./commands/trust.ts')).registerTrust,
  },
  {
    name: 'gateway',
    description: 'gateways of a provider: enroll-token, enroll, list, set, enable, disable, remove, doctor',
    load: async () => (await import('./commands/gateway.ts')).registerGateway,
  },
  {
    name: 'tenant',
    description: 'accounts at a provider: add, set, list, enable, disable, remove, invite',
    load: async () => (await import('./commands/tenant.ts')).registerTenant,
  },
  {
    name: 'repository',
    description: 'cloud repositories of a provider: add, set, list, verify, rebuild-catalogue, remove',
    load: async () => (await import('./commands/repository.ts')).registerRepository,
  },
  {
    name: 'provider',
    description: 'service providers of a tenant: add, set, list, rescan, remove',
    load: async () => (await import('./commands/provider.ts')).registerProvider,
  },
  {
    name: 'job',
    description: 'backup jobs of a tenant: add, set, list, run, remove',
    load: async () => (await import('./commands/job.ts')).registerJob,
  },
  {
    name: 'session',
    description: 'sessions of a tenant or provider: list, show, watch, pause, resume, cancel, evidence',
    load: async () => (await import('./commands/session.ts')).registerSession,
  },
  {
    name: 'point',
    description: 'restore points: list, ls, find, extract, delete',
    load: async () => (await import('./commands/point.ts')).registerPoint,
  },
  {
    name: 'restore',
    description: 'restore a restore point, or folders and files of it',
    load: async () => (await import('./commands/restore.ts')).registerRestore,
  },
];
