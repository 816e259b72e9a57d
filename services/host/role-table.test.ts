// Adds a role to a copy of the services (its name, one row and its code), and serves the role with the real command line.
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { defaultPorts } from '../contracts/default-ports.ts';
import type { ReadyMessage } from '../contracts/carrier.ts';
import { gatewayConfigSchema } from '../gateway/config.ts';
import { passedEnvironment } from '../process/environment.ts';
import { SupervisedChild, type ChildExit } from '../process/supervised-child.ts';
import { providerConfigSchema } from '../provider/state/config.ts';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';
import { roleTable } from './role-table.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));

const toyRow = `
import { createServer } from 'node:net';
import { z } from 'zod';
import { defineRole } from './role-row.ts';
import { firstOf, logLevelFlag } from './serve-flags.ts';

export const toyRole = defineRole({
  name: 'toy',
  summary: 'says hello to whoever connects',
  examples: ['farkeep serve toy --greeting hello'],
  flags: [
    { name: 'greeting', value: 'TEXT', description: 'what it says', toConfig: (values) => ({ greeting: firstOf(values) }) },
    logLevelFlag,
  ],
  load: async () => ({
    configSchema: z.strictObject({ greeting: z.string(), name: z.string().default('toy'), logLevel: z.enum(['error', 'info']).default('error') }),
    start: async ({ config }) => {
      const server = createServer((socket) => socket.end(config.greeting + ' from ' + config.name));
      await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
      return {
        domains: {},
        listeners: { toy: '127.0.0.1:' + server.address().port },
        health: () => ({ health: 'running', reason: null }),
        onHealthChanged: () => () => undefined,
        activeSessions: () => 0,
        stop: () => new Promise((resolve) => server.close(() => resolve())),
      };
    },
  }),
});
`;

let seeded: string;

beforeAll(async () => {
  seeded = await mkdtemp(path.join(tmpdir(), 'farkeep-test-'));
  const isProduct = (file: string): boolean => !/\.test\.ts$|services\/(testing|integration)(\/|$)/.test(file);
  await cp(path.join(project, 'services'), path.join(seeded, 'services'), { recursive: true, filter: isProduct });
  await cp(path.join(project, 'package.json'), path.join(seeded, 'package.json'));
  await symlink(path.join(project, 'node_modules'), path.join(seeded, 'node_modules'));
  await replace(
    'services/contracts/contract.ts',
    "'provider', 'gateway', 'tenant'",
    "'provider', 'gateway', 'tenant', 'toy'",
  );
  await replace('services/host/role-table.ts', '  tenant: tenantRole,', '  tenant: tenantRole,\n  toy: toyRole,');
  await replace('services/host/role-table.ts', 'import type', "import { toyRole } from './toy-role.ts';\nimport type");
  await writeFile(path.join(seeded, 'services/host/toy-role.ts'), toyRow);
}, 60_000);

afterAll(() => rm(seeded, { recursive: true, force: true }));

async function replace(file: string, from: string, to: string): Promise<void> {
  const text = await readFile(path.join(seeded, file), 'utf8');
  expect(text.split(from).length, `${file}: ${from}`).toBeGreaterThan(1);
  await writeFile(path.join(seeded, file), text.replace(from, to));
}

interface Run {
  readonly child: SupervisedChild;
  readonly ready: Promise<ReadyMessage>;
  /** Includes all printed output. */
  readonly exited: Promise<ChildExit & { readonly printed: string }>;
}

function farkeep(...args: readonly string[]): Run {
  let printed = '';
  const ready = Promise.withResolvers<ReadyMessage>();
  const child = new SupervisedChild({
    program: process.execPath,
    args: [path.join(seeded, 'services/cli/cli-entry.ts'), ...args],
    environment: passedEnvironment(process.env),
    log: { onLine: (line) => void (printed += `${line}\n`) },
    onOutput: (chunk) => {
      printed += chunk.toString('utf8');
      if (printed.includes('"ready"')) ready.resolve(JSON.parse(printed) as ReadyMessage);
    },
  });
  onTestFinished(() => child.kill());
  const exited = child.exited.then((exit) => ({ ...exit, printed }));
  void exited.then((exit) => ready.reject(new Error(`it ended with code ${String(exit.code)}: ${exit.printed}`)));
  ready.promise.catch(() => undefined);
  return { child, ready: ready.promise, exited };
}

async function greetingAt(address = ''): Promise<string> {
  const socket = connect(Number(address.split(':')[1]), '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  await once(socket, 'close');
  return text;
}

describe('a role that was added to the table', () => {
  it('works with configuration, flags, lock, ready line and stop', async () => {
    const home = await makeTemporaryFolder();
    await writeFile(path.join(home, 'toy.json'), JSON.stringify({ greeting: 'of the file', name: 'bear' }));
    const service = farkeep('--home', home, '--json', 'serve', 'toy', '--greeting', 'of the flag');
    const ready = await service.ready;
    expect(ready).toMatchObject({ kind: 'ready', role: 'toy', pid: service.child.pid });
    expect(await greetingAt(ready.listeners['toy'])).toBe('of the flag from bear');

    const second = await farkeep('--home', home, '--json', 'serve', 'toy').exited;
    expect(JSON.parse(second.printed.split('\n').find((line) => line.includes('"ok"')) ?? '{}')).toMatchObject({
      error: { code: 'service.locked' },
    });
    const ended = await service.child.stop(30_000);
    expect(ended).toMatchObject({ code: 0, killedFor: undefined });
    await expect(greetingAt(ready.listeners['toy'])).rejects.toThrow('ECONNREFUSED');
  }, 60_000);

  it('refuses an unknown setting, and is listed in the help', async () => {
    const home = await makeTemporaryFolder();
    await writeFile(path.join(home, 'toy.json'), JSON.stringify({ greeting: 'x', color: 'red' }));
    const [refused, help] = await Promise.all([
      farkeep('--home', home, 'serve', 'toy').exited,
      farkeep('serve', 'toy', '--help').exited,
    ]);
    expect(refused).toMatchObject({
      code: 2,
      printed: expect.stringContaining('There is no setting "color"') as string,
    });
    for (const text of [
      'says hello to whoever connects',
      '--greeting <text>',
      '$ farkeep serve toy --greeting hello',
    ]) {
      expect(help.printed).toContain(text);
    }
  }, 60_000);
});

describe('the roles of the table', () => {
  it('have a row with their own name, and no flag twice', () => {
    for (const [name, row] of Object.entries(roleTable)) {
      expect(row.name).toBe(name);
      expect(new Set(row.flags.map((flag) => flag.name)).size).toBe(row.flags.length);
      expect(row.flags.at(-1)?.name).toBe('log-level');
    }
  });

  it('listen on the default ports without a configured port', () => {
    const { control, infrastructure } = providerConfigSchema.parse({});
    expect({ control: control.port, infrastructure: infrastructure.port }).toEqual(defaultPorts.provider);
    expect(gatewayConfigSchema.parse({}).listen.map(({ port }) => port)).toEqual([defaultPorts.gateway.gateway]);
  });
});
