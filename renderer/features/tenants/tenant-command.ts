// Owns the command lines that do the same as the tenant wizard. They never contain a password. Pure.
import { commandLine, sizeArgument } from '../../platform/command-line.ts';
import type { AccountChanges, AccountDraft, QuotaLimit } from './tenant-draft.ts';

/** @param account name, last day and tasks as typed in the wizard */
export function addCommands(
  { name, leaseDay, tasks }: Pick<AccountDraft, 'name' | 'leaseDay' | 'tasks'>,
  limits: readonly QuotaLimit[],
): string[] {
  return [
    commandLine(
      ...['tenant', 'add', name, '--password-file', 'PASSWORD_FILE', ...quotaArguments(limits)],
      ...(leaseDay === '' ? [] : ['--lease', leaseDay]),
      ...(tasks.trim() === '' ? [] : ['--tasks', tasks.trim()]),
    ),
    commandLine('tenant', 'invite', name, '--out', `farkeep-invitation-${name}.json`),
  ];
}

/** None for no changes. */
export function setCommands(name: string, { isEnabled, leaseUntil, maxTasks, quotas }: AccountChanges): string[] {
  const options = [
    ...quotaArguments(quotas ?? []),
    ...(leaseUntil === undefined ? [] : ['--lease', leaseUntil?.slice(0, 10) ?? 'none']),
    ...(maxTasks === undefined ? [] : ['--tasks', String(maxTasks ?? 'none')]),
    ...(quotas?.length === 0 ? ['--no-quota'] : []),
  ];
  return [
    ...(options.length === 0 ? [] : [commandLine('tenant', 'set', name, ...options)]),
    ...(isEnabled === undefined ? [] : [commandLine('tenant', isEnabled ? 'enable' : 'disable', name)]),
  ];
}

function quotaArguments(limits: readonly QuotaLimit[]): string[] {
  return limits.flatMap(({ repository, limitBytes }) => ['--quota', `${repository}=${sizeArgument(limitBytes)}`]);
}
