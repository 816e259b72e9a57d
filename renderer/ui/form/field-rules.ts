// Owns the rules for fields that many wizards have: the same rules as in the contract, shown beside the field. Pure.
import { newNameSchema, hostSchema } from '../../../services/contracts/models/values.ts';

export function nameProblem(name: string): 'field.required' | 'field.name' | null {
  if (name.trim() === '') return 'field.required';
  return newNameSchema.safeParse(name).success ? null : 'field.name';
}

export function parsePort(text: string): number | null {
  if (!/^\s*\d{1,5}\s*$/.test(text)) return null;
  const port = Number(text);
  return port >= 1 && port <= 65_535 ? port : null;
}

export function hostProblem(host: string): 'field.required' | 'field.host' | null {
  if (host.trim() === '') return 'field.required';
  // A port belongs into its own field. Several colons mean an IPv6 address.
  const isWithPort = /^[^:]+:\d+$/.test(host.trim());
  return hostSchema.safeParse(host.trim()).success && !isWithPort ? null : 'field.host';
}

export function addressProblems(
  host: string,
  port: string,
): Partial<Record<'host' | 'port', 'field.required' | 'field.host' | 'field.port'>> {
  const problem = hostProblem(host);
  return {
    ...(problem === null ? {} : { host: problem }),
    ...(parsePort(port) === null ? { port: 'field.port' as const } : {}),
  };
}
