// Owns `farkeep status`: the running services of the instance, their work, and certificates that expire soon.
import { expiryText } from '../../contracts/models/instant-text.ts';
import type { Command } from 'commander';
import { serviceRoles, type ServiceRole } from '../../contracts/contract.ts';
import type { StoredCertificate } from '../../contracts/models/certificate.ts';
import type { ServiceInfo } from '../../contracts/models/service.ts';
import { finalSessionStates, type SessionSummary } from '../../contracts/models/session.ts';
import { certificateDomain } from '../../contracts/rpc/certificate.ts';
import { serviceDomain } from '../../contracts/rpc/service.ts';
import { sessionsDomain } from '../../contracts/rpc/sessions.ts';
import type { AdminClient } from '../../host/carriers/admin-client.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { defaultHome } from '../../kernel/state/home-folder.ts';
import type { CommandContext, DefineAction } from '../command-context.ts';
import { formatInstant } from '../quantities.ts';
import { formatTable } from '../text-table.ts';

/** Certificates that expire within this time are shown. */
const expiresSoonMs = 30 * 86_400_000;

interface ServiceState {
  readonly role: ServiceRole;
  readonly state: 'running' | 'degraded' | 'stopped';
  readonly info: ServiceInfo | null;
}

export function registerStatus(program: Command, action: DefineAction): void {
  program
    .command('status')
    .description('services, running sessions, certificates that expire within 30 days')
    .addHelpText('after', '\nExamples:\n  $ farkeep status\n  $ farkeep status --home /var/lib/farkeep --json')
    .action(
      action(async (context, _options: object) => {
        const services: ServiceState[] = [];
        const sessions: (SessionSummary & { viewer: ServiceRole })[] = [];
        const certificates: (StoredCertificate & { expiresInDays: number })[] = [];
        for (const role of serviceRoles) {
          const client = await connectIfRunning(context, role);
          if (client === undefined) {
            services.push({ role, state: 'stopped', info: null });
            continue;
          }
          const info = await client.domain(serviceDomain).info({});
          services.push({ role, state: info.health, info });
          if (role === 'gateway') continue;
          const list = (await client.domain(sessionsDomain).list({ limit: 1000 })).sessions;
          sessions.push(
            ...list
              .filter(({ state }) => !finalSessionStates.includes(state))
              .map((session) => ({ ...session, viewer: role })),
          );
          if (role === 'provider') certificates.push(...(await expiringCertificates(client)));
        }
        context.output.result({ home: context.home, services, sessions, certificates }, () =>
          formatStatus(context.home, services, sessions, certificates),
        );
      }),
    );
}

async function connectIfRunning(context: CommandContext, role: ServiceRole): Promise<AdminClient | undefined> {
  try {
    return await context.connect(role);
  } catch (error) {
    if (error instanceof FarkeepError && error.code === 'service.not-running') return undefined;
    throw error;
  }
}

async function expiringCertificates(client: AdminClient): Promise<(StoredCertificate & { expiresInDays: number })[]> {
  const { certificates } = await client.domain(certificateDomain).list({});
  return certificates
    .filter(({ installedInSlots }) => installedInSlots.length > 0)
    .map((certificate) => {
      const leftMs = Date.parse(certificate.summary.notAfter) - Date.now();
      return { ...certificate, expiresInDays: Math.floor(leftMs / 86_400_000) };
    })
    .filter(({ expiresInDays }) => expiresInDays * 86_400_000 < expiresSoonMs);
}

function formatStatus(
  home: string,
  services: readonly ServiceState[],
  sessions: readonly (SessionSummary & { viewer: ServiceRole })[],
  certificates: readonly (StoredCertificate & { expiresInDays: number })[],
): string {
  // Without --home the printed command would start another instance.
  const ofHome =
    home === defaultHome() ? '' : ` --home ${/^[\w./:-]+$/.test(home) ? home : `'${home.replaceAll("'", `'\\''`)}'`}`;
  const parts = [
    `Home: ${home}`,
    formatTable(
      services,
      [
        { title: 'SERVICE', value: ({ role }) => role },
        { title: 'STATE', value: ({ state }) => state },
        { title: 'PROCESS', value: ({ info }) => (info === null ? '-' : String(info.pid)), align: 'right' },
        { title: 'SINCE', value: ({ info }) => formatInstant(info?.startedAt ?? null) },
        { title: 'LISTENS', value: ({ info }) => formatListeners(info) },
        {
          title: 'REMARK',
          value: ({ role, info }) => (info === null ? `start: farkeep serve ${role}${ofHome}` : (info.reason ?? '')),
        },
      ],
      '',
    ),
  ];
  if (sessions.length > 0) {
    parts.push(
      formatTable(
        sessions,
        [
          { title: 'SESSION', value: ({ id }) => id.slice(0, 12) },
          { title: 'SEEN BY', value: ({ viewer }) => viewer },
          { title: 'KIND', value: ({ kind }) => kind },
          { title: 'JOB', value: ({ jobName }) => jobName },
          { title: 'STATE', value: ({ state }) => state },
        ],
        '',
      ),
    );
  }
  for (const { friendlyName, installedInSlots, expiresInDays } of certificates) {
    parts.push(
      `The certificate "${friendlyName}" (slot ${installedInSlots.join(', ')}) ${expiryText(
        expiresInDays,
      )}. Next: farkeep certificate generate --slot ${installedInSlots[0] ?? 'provider'} --install, or import one.`,
    );
  }
  return parts.join('\n\n');
}

function formatListeners(info: ServiceInfo | null): string {
  if (info === null) return '-';
  return Object.entries(info.listeners)
    .map(([purpose, address]) => `${purpose} ${address}`)
    .join(', ');
}
