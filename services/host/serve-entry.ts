// The process entry of every role: `node services/host/serve-entry.ts ROLE [--home DIR] [--config FILE] [flags of the role]`. Consoles and
// `farkeep demo` start it. Sends "ready" over the process channel; writes nothing to stdout.
import '../contracts/zod-setup.ts';
import { parseArgs } from 'node:util';
import { serviceRoles, type ServiceRole } from '../contracts/contract.ts';
import { exitCodes } from '../contracts/errors.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { asMessage } from '../kernel/shown-text.ts';
import { receiveKeychainKey } from './keychain-delivery.ts';
import { sendToParent } from './carriers/process-carrier.ts';
import { roleTable } from './role-table.ts';
import { flagsToConfig } from './serve-flags.ts';
import { serveRole } from './serve-role.ts';

function isServiceRole(text: string | undefined): text is ServiceRole {
  return serviceRoles.some((role) => role === text);
}

async function main(args: readonly string[]): Promise<number> {
  const [role, ...rest] = args;
  if (!isServiceRole(role))
    throw new FarkeepError('config.invalid', `The role must be one of ${serviceRoles.join(', ')}`);
  const { flags } = roleTable[role];
  const roleOptions = flags.map((flag) => [
    flag.name,
    { type: flag.value === undefined ? 'boolean' : 'string', multiple: flag.isRepeatable ?? false } as const,
  ]);
  const { values } = parseArgs({
    args: rest,
    options: {
      ...(Object.fromEntries(roleOptions) as Record<string, { type: 'boolean' | 'string'; multiple: boolean }>),
      home: { type: 'string' },
      config: { type: 'string' },
      // Only for consoles: the console sends a key of the OS keychain over the process channel.
      keychain: { type: 'boolean' },
    },
  });
  const given = values as Record<string, string | boolean | string[] | undefined>;
  const text = (value: (typeof given)[string]): string | undefined => (typeof value === 'string' ? value : undefined);
  return serveRole({
    role,
    home: text(given['home']),
    configFile: text(given['config']),
    overrides: flagsToConfig(flags, given),
    ...(given['keychain'] === true ? { receiveKeychainKey } : {}),
    onStartFailed: report,
  });
}

function report(error: FarkeepError): void {
  process.stderr.write(`${asMessage(error.message)}\n${asMessage(error.hint)}\n`);
}

try {
  process.exit(await main(process.argv.slice(2)));
} catch (thrown) {
  const error =
    thrown instanceof FarkeepError
      ? thrown
      : new FarkeepError('config.invalid', thrown instanceof Error ? thrown.message : String(thrown));
  report(error);
  await sendToParent({ kind: 'start-failed', error: error.toInfo() });
  process.exit(exitCodes.usage);
}
