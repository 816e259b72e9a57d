// Owns the text of a systemd unit for one role: the only place that says how a service runs under systemd. Pure: reads and writes no file.
import path from 'node:path';
import type { ServiceRole } from '../../contracts/contract.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';

/** `user`: starts with the session of one account, or with the computer if the account may linger. `system`: starts with the computer. */
export type UnitScope = 'user' | 'system';

export interface ServiceUnitOptions {
  readonly role: ServiceRole;
  readonly scope: UnitScope;
  /** Root folder of the instance. */
  readonly home: string;
  /** The pinned Node.js. */
  readonly nodeExecutable: string;
  /** services/cli/cli-entry.ts */
  readonly commandEntry: string;
  /** Without it, the service reads HOME/ROLE.json. */
  readonly configFile?: string | undefined;
  /** Account of a system unit. Default: root. */
  readonly user?: string | undefined;
}

export function unitName(role: ServiceRole): string {
  return `farkeep-${role}.service`;
}

/** @throws FarkeepError config.invalid for a path or account that a unit cannot contain */
export function serviceUnitText(options: ServiceUnitOptions): string {
  const { role, scope, home, nodeExecutable, commandEntry, configFile, user } = options;
  const isSystem = scope === 'system';
  const command = [
    ...[nodeExecutable, commandEntry, 'serve', role].map(quote),
    homeArgument(home),
    ...(configFile === undefined ? [] : ['--config', quote(configFile)]),
  ];
  const lines = [
    '[Unit]',
    `Description=Farkeep ${role}`,
    // User units cannot order themselves after units of the system.
    ...(isSystem ? ['Wants=network-online.target', 'After=network-online.target'] : []),
    '',
    '[Service]',
    'Type=exec',
    ...(isSystem && user !== undefined ? [`User=${checkedUser(user)}`] : []),
    ...(isSystem ? stateDirectory(home) : []),
    `ExecStart=${command.join(' ')}`,
    '# Exit code 70 means an unexpected error, 2 a configuration that is not valid.',
    'Restart=on-failure',
    'RestartSec=2',
    'RestartPreventExitStatus=2',
    '# The service ends its data movers itself, within --stop-deadline (20 s).',
    'KillMode=mixed',
    'TimeoutStopSec=45',
    'UMask=0077',
    '# A memory dump would contain keys.',
    'LimitCORE=0',
    'NoNewPrivileges=yes',
    ...(isSystem ? hardening(role) : []),
    '',
    '[Install]',
    `WantedBy=${isSystem ? 'multi-user.target' : 'default.target'}`,
    '',
  ];
  return lines.join('\n');
}

/** The part of a unit that shows to which instance it belongs. */
export function homeArgument(home: string): string {
  return `--home ${quote(path.resolve(home))}`;
}

/** Restrictions that need a mount namespace. A user unit cannot have these on every system. */
function hardening(role: ServiceRole): string[] {
  // A tenant reads and restores any file, with owners and modes.
  if (role === 'tenant') return [];
  return [
    '# /usr, /boot and /etc cannot be written. Repositories can be in all other folders.',
    'ProtectSystem=full',
    'PrivateDevices=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelTunables=yes',
    'ProtectControlGroups=yes',
  ];
}

/**
 * systemd makes a home below /var/lib, and gives it to the account of the unit at each start. So services of different accounts need
 * different homes there (systemd.exec(5), StateDirectory=).
 */
function stateDirectory(home: string): string[] {
  const [, name] = /^\/var\/lib\/([\w-]+)$/.exec(path.resolve(home)) ?? [];
  return name === undefined ? [] : [`StateDirectory=${name}`, 'StateDirectoryMode=0700'];
}

function checkedUser(user: string): string {
  if (/^[A-Za-z_][\w.-]*\$?$/.test(user)) return user;
  throw new FarkeepError('config.invalid', `"${user}" is not the name of an account`, { field: 'user' });
}

/** Quotes one word of ExecStart= as systemd.service(5) and systemd.syntax(7) say: % and $ have a meaning, even in quotes. */
function quote(word: string): string {
  // systemd reads a unit line by line.
  if (/[\0-\x1f\x7f]/.test(word)) {
    throw new FarkeepError(
      'config.invalid',
      `A unit cannot name a path with control characters: ${JSON.stringify(word)}`,
    );
  }
  const escaped = word.replaceAll('%', '%%').replaceAll('$', '$$$$').replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  return /^[\w@%+=:,./-]+$/.test(escaped) ? escaped : `"${escaped}"`;
}
