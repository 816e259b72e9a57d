// Owns the input of the dialog that changes a service provider. Pure.
import type { CommandInput } from '../../../services/contracts/contract.ts';
import type { ServiceProvider } from '../../../services/contracts/models/tenant.ts';
import type { serviceProvidersDomain } from '../../../services/contracts/rpc/service-providers.ts';
import { commandLine } from '../../platform/command-line.ts';
import { addressProblems, nameProblem, parsePort } from '../../ui/form/field-rules.ts';

/** What a person typed. */
export interface EditDraft {
  readonly name: string;
  readonly host: string;
  readonly port: string;
  readonly userName: string;
  /** Empty: the saved password stays. */
  readonly password: string;
}

type ProviderChanges = Omit<CommandInput<typeof serviceProvidersDomain, 'set'>, 'providerId'>;
type Problems = Partial<
  Record<keyof EditDraft, 'field.required' | 'field.name' | 'field.host' | 'field.port' | 'providerDialog.name.taken'>
>;

export function draftOf({ name, host, port, userName }: ServiceProvider): EditDraft {
  return { name, host, port: String(port), userName, password: '' };
}

/** @param others the names of the other providers */
export function problemsOf(draft: EditDraft, before: ServiceProvider, others: readonly string[]): Problems {
  // An older name may break the rules for new names.
  const problem = draft.name === before.name ? null : nameProblem(draft.name);
  const isTaken = others.some((name) => name.toLowerCase() === draft.name.toLowerCase());
  return {
    ...addressProblems(draft.host, draft.port),
    ...(isTaken ? { name: 'providerDialog.name.taken' as const } : {}),
    ...(problem === null ? {} : { name: problem }),
    ...(draft.userName.trim() === '' ? { userName: 'field.required' as const } : {}),
  };
}

/** Only what is different. */
export function changesOf(draft: EditDraft, before: ServiceProvider): ProviderChanges {
  const [host, port, userName] = [draft.host.trim(), parsePort(draft.port), draft.userName.trim()];
  return {
    ...(draft.name === before.name ? {} : { name: draft.name }),
    ...(host === before.host ? {} : { host }),
    ...(port === null || port === before.port ? {} : { port }),
    ...(userName === before.userName ? {} : { userName }),
    ...(draft.password === '' ? {} : { password: draft.password }),
  };
}

/** Null when nothing is different. The command never contains the password. */
export function setCommand(before: ServiceProvider, changes: ProviderChanges): string | null {
  const { name, host, port, userName, password } = changes;
  const address = `${host ?? before.host}:${port ?? before.port}`;
  const options = [
    ...(name === undefined ? [] : ['--name', name]),
    ...(host === undefined && port === undefined ? [] : ['--address', address]),
    ...(userName === undefined ? [] : ['--user', userName]),
    ...(password === undefined ? [] : ['--password-file', 'PASSWORD_FILE']),
  ];
  return options.length === 0 ? null : commandLine('provider', 'set', before.name, ...options);
}

export function renewCommand(before: ServiceProvider, name: string): string {
  const rename = name === before.name ? [] : ['--name', name];
  return commandLine('provider', 'set', before.name, '--invitation', 'INVITATION_FILE', ...rename);
}
