// Owns reading a service's configuration: the file, then flags that override it, then the role's schema. Every error names setting and
// file.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { z } from 'zod';
import { oldSettingNames } from '../../contracts/old-spellings.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';

export type ConfigOverrides = Readonly<Record<string, unknown>>;

const maxConfigBytes = 1024 * 1024;

/** @returns the file's content as an object; empty without a file */
export async function readConfigFile(file: string | undefined): Promise<Record<string, unknown>> {
  if (file === undefined) return {};
  const absolute = path.resolve(file);
  let text: string;
  try {
    text = await readFile(absolute, 'utf8');
  } catch (error) {
    throw new FarkeepError('config.invalid', `The configuration file ${absolute} cannot be read: ${String(error)}`, {
      hint: 'Check the path given with --config and the rights of the file.',
      cause: error,
    });
  }
  if (text.length > maxConfigBytes)
    throw new FarkeepError('config.invalid', `${absolute} is larger than a configuration can be`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FarkeepError(
      'config.invalid',
      `${absolute} is not JSON: ${error instanceof Error ? error.message : ''}`,
      {
        hint: 'Correct the file; docs/cli.md shows an example for each role.',
        cause: error,
      },
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FarkeepError('config.invalid', `${absolute} must hold one JSON object`);
  }
  return withCurrentNames({ ...value });
}

/** Converts old setting names. A file with both names keeps both, and the old name is refused like any unknown setting. */
function withCurrentNames(settings: Record<string, unknown>): Record<string, unknown> {
  const nameNow = (name: string): string => {
    const now = Object.hasOwn(oldSettingNames, name) ? oldSettingNames[name] : undefined;
    return now === undefined || Object.hasOwn(settings, now) ? name : now;
  };
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [nameNow(name), value]));
}

/** Flags override the file. Objects are merged one level deep, so that `--port` keeps the address of the file. */
export function mergeConfig(
  file: Readonly<Record<string, unknown>>,
  overrides: ConfigOverrides,
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...file };
  for (const [name, value] of Object.entries(overrides)) {
    if (value === undefined) continue;
    const existing = merged[name];
    merged[name] = isPlainObject(existing) && isPlainObject(value) ? { ...existing, ...value } : value;
  }
  return merged;
}

export function parseConfig<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  source: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.code === 'unrecognized_keys') {
    // A misspelled setting must cause an error: otherwise the default would apply silently.
    const field = [...issue.path, issue.keys[0] ?? ''].map(String).join('.');
    throw new FarkeepError('config.invalid', `There is no setting "${field}" (${source})`, {
      hint: 'Correct or remove the setting; docs/cli.md lists the settings of each role.',
      field,
    });
  }
  const field = issue?.path.map(String).join('.') ?? '';
  const name = field === '' ? 'The configuration' : `The setting "${field}"`;
  throw new FarkeepError('config.invalid', `${name} is not valid: ${issue?.message ?? 'unknown reason'} (${source})`, {
    ...(field === '' ? {} : { field }),
  });
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
