// Owns which configuration file each service uses: the one that the running service reports, else the one that it will read. Must not read
// the files.
import type { ServiceRole } from '../../../services/contracts/contract.ts';
import { serviceInfoSchema, type ServiceInfo } from '../../../services/contracts/models/service.ts';
import { settingsFileOf, type SettingsFiles } from '../../../services/host/settings/network-settings.ts';
import type { Supervisor } from './supervisor.ts';

export interface ServiceSettings {
  readonly files: SettingsFiles;
  /** Settings of the running service that come from flags. */
  readonly flagSettings: Readonly<Record<ServiceRole, readonly string[]>>;
}

/** The call that every running service answers. */
export const infoCall = { domain: 'service', command: 'info', input: {} };

export async function serviceSettings(
  home: string,
  supervisor: Pick<Supervisor, 'find' | 'call'>,
  signal: AbortSignal,
): Promise<ServiceSettings> {
  const infoOf = async (role: ServiceRole): Promise<ServiceInfo | undefined> => {
    const { state } = supervisor.find(role);
    if (state !== 'running' && state !== 'degraded') return undefined;
    const answer = await supervisor.call(role, infoCall, signal);
    return answer.ok ? serviceInfoSchema.safeParse(answer.value).data : undefined;
  };
  const [provider, gateway, tenant] = await Promise.all([infoOf('provider'), infoOf('gateway'), infoOf('tenant')]);
  const infos = { provider, gateway, tenant };
  const fileOf = (role: ServiceRole): string => infos[role]?.configFile ?? settingsFileOf(home, role);
  const flagsOf = (role: ServiceRole): readonly string[] => infos[role]?.flagSettings ?? [];
  return {
    files: { provider: fileOf('provider'), gateway: fileOf('gateway'), tenant: fileOf('tenant') },
    flagSettings: { provider: flagsOf('provider'), gateway: flagsOf('gateway'), tenant: flagsOf('tenant') },
  };
}
