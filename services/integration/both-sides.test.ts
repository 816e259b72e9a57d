// Whatever the console can do the command line can, and the other way round: compares the calls in the sources of both sides with the
// commands of the contract. A command that one side does not need is in a table below, with the reason.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DomainContract } from '../contracts/contract.ts';
import { domains } from '../contracts/rpc/domains.ts';

/** Commands that only the console calls, by what the command line does instead. */
const withoutCommandLine: Readonly<Record<string, string>> = {
  'certificate.describeGenerate': 'The wizard shows the subject before it generates; the command prints it afterwards.',
  'gatewayNode.status': 'The card of the gateway on its own computer; `status` prints its state with the reason.',
  'jobs.checkSources': 'The wizard checks when a page is left; a run of the job reports the same.',
  'repositories.checkFolder': 'The wizard checks when a page is left; the commands add and set check the same.',
  'sessions.throughput': 'The graph; the command prints the figures of the session.',
  'trust.check': '`trust check` decides without a service, so that it works before there is one.',
  'trust.acceptInAdvance': '`trust accept --address` does the same in three calls, and prints the algorithm.',
};

/** Commands that only the command line calls, by what the console does instead. */
const withoutConsole: Readonly<Record<string, string>> = {
  'certificate.store': 'The wizard stores a certificate by installing or announcing it.',
};

/** Functions of the desktop that no page calls. */
const withoutUse: Readonly<Record<string, string>> = {
  'console.openExternal': 'No page has a link to another site yet.',
};

const root = path.resolve(import.meta.dirname, '../..');

async function sourcesBelow(...folders: string[]): Promise<string[]> {
  const texts: string[] = [];
  for (const folder of folders) {
    for (const entry of await readdir(path.join(root, folder), { recursive: true, withFileTypes: true })) {
      const file = path.join(entry.parentPath, entry.name);
      const isSource = entry.isFile() && /\.tsx?$/.test(entry.name) && !/\.test\.ts$/.test(entry.name);
      if (isSource && !file.includes(`${path.sep}testing${path.sep}`)) texts.push(await readFile(file, 'utf8'));
    }
  }
  return texts;
}

/** `(...)`, at most two levels deep. */
const group = String.raw`\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)`;

/**
 * The calls "domain.command" in the sources of one side. Clients are found by the ways in which this project makes them: the clients of the
 * renderer, `domain(xDomain)`, and names, parameters and functions whose type is `DomainClient<typeof xDomain>` or an alias of it.
 */
function callsIn(sources: readonly string[]): Set<string> {
  const texts = sources.map((text) => text.replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, ''));
  const calls = new Set<string>();
  const all = texts.join('\n');
  const aliases = new Map(
    [...all.matchAll(/type (\w+) = DomainClient<typeof (\w+)Domain>/g)].map(([, alias = '', key = '']) => [alias, key]),
  );
  const typeName = ['DomainClient<typeof (?<key>\\w+)Domain>', ...[...aliases.keys()].map((alias) => `${alias}\\b`)];
  const clientType = `(?<type>${typeName.join('|')})`;
  const keyOf = (match: RegExpMatchArray): string =>
    match.groups?.['key'] ?? aliases.get(match.groups?.['type'] ?? '') ?? '';
  const makersIn = (text: string, before = ''): [string, string][] =>
    [...text.matchAll(new RegExp(`${before}function (?<name>\\w+)${group}: (?:Promise<)?${clientType}`, 'g'))].map(
      (match) => [match.groups?.['name'] ?? '', keyOf(match)],
    );
  const exported = texts.map((text) => new Map(makersIn(text, 'export (?:async )?')));
  for (const text of texts) {
    const makers = new Map(makersIn(text));
    // A function of another file. Exported functions that make clients have different names.
    for (const [, names = ''] of text.matchAll(/import (?:type )?\{([^}]*)\} from '\.[^']*'/g)) {
      for (const name of names.split(',').map((each) => each.trim())) {
        const found = exported.find((map) => !makers.has(name) && map.has(name))?.get(name);
        if (found !== undefined) makers.set(name, found);
      }
    }
    const clients = new Map<string, Set<string>>();
    const add = (name: string, key: string): void => void clients.set(name, (clients.get(name) ?? new Set()).add(key));
    for (const [, names = ''] of text.matchAll(/const \{([^}]*)\} = \w+Clients\b(?!\.)/g)) {
      for (const name of names.split(',').map((each) => each.trim())) {
        const [key = '', local = key] = name.split(/:\s*/);
        add(local, key);
      }
    }
    for (const [, name = '', key = ''] of text.matchAll(/const (\w+) = \w+Clients\.(\w+);/g)) add(name, key);
    for (const [, name = ''] of text.matchAll(/const (\w+) = sessionClients\[/g)) add(name, 'sessions');
    for (const [, name = '', key = ''] of text.matchAll(/const (\w+) = [^;=]*\.domain\((\w+)Domain\);/g))
      add(name, key);
    for (const match of text.matchAll(new RegExp(`(?<name>\\w+): ${clientType}`, 'g')))
      add(match.groups?.['name'] ?? '', keyOf(match));
    for (const [, name = '', maker = ''] of text.matchAll(/const (\w+) = (?:await )?(\w+)\(/g)) {
      const key = makers.get(maker);
      if (key !== undefined) add(name, key);
    }
    const call = (key: string, command: string): void => void calls.add(`${key}.${command}`);
    for (const [, key = '', command = ''] of text.matchAll(/\w+Clients\.(\w+)\s*\.(\w+)/g)) call(key, command);
    for (const [, command = ''] of text.matchAll(/sessionClients\[[^\]]*\]\s*\.(\w+)/g)) call('sessions', command);
    for (const [, command = ''] of text.matchAll(/\bconsoleClient\s*\.(\w+)/g)) call('console', command);
    for (const [, key = '', command = ''] of text.matchAll(/\.domain\((\w+)Domain\)\)?\s*\.(\w+)/g)) call(key, command);
    for (const [maker, key] of makers) {
      const made = new RegExp(`\\(await ${maker}${group}\\)\\s*\\.(\\w+)`, 'g');
      for (const [, command = ''] of text.matchAll(made)) call(key, command);
    }
    for (const [name, keys] of clients) {
      for (const [, command = ''] of text.matchAll(new RegExp(`(?<![.\\w])${name}\\s*\\.(\\w+)`, 'g')))
        for (const key of keys) call(key, command);
    }
  }
  return calls;
}

const commands = Object.entries(domains as Record<string, DomainContract>).flatMap(([key, domain]) =>
  Object.keys(domain.commands).map((command) => ({
    name: `${key}.${command}`,
    isOfConsole: domain.targets.every((target) => target === 'console'),
  })),
);

function missingIn(calls: ReadonlySet<string>, names: readonly string[]): string[] {
  return names.filter((name) => !calls.has(name));
}

describe('the two sides', () => {
  it('both call every command of the contract, except for those with a reason', async () => {
    const console = callsIn(await sourcesBelow('renderer', 'electron/main'));
    const commandLine = callsIn(await sourcesBelow('services/cli', 'services/offline'));
    const shared = commands.filter(({ isOfConsole }) => !isOfConsole).map(({ name }) => name);
    expect(missingIn(commandLine, shared).sort()).toEqual(Object.keys(withoutCommandLine).sort());
    expect(missingIn(console, shared).sort()).toEqual(Object.keys(withoutConsole).sort());
    // The functions of the desktop, such as file dialogs, have no command; the console calls each of them.
    const ofDesktop = commands.filter(({ isOfConsole }) => isOfConsole).map(({ name }) => name);
    expect(missingIn(console, ofDesktop)).toEqual(Object.keys(withoutUse));
  });

  it('are seen in each way in which the sources make a client', () => {
    const made = callsIn([
      `type Client = DomainClient<typeof jobsDomain>;
       export async function connect(context: Context): Promise<Client> { return x; }
       const list = (client: DomainClient<typeof tenantsDomain>) => client.list({});`,
      `import { connect } from './other.ts';
       const jobs = await connect(context);
       await jobs.add({});
       await (await connect(a(b))).run({});
       await (await context.connect('tenant')).domain(pointsDomain).find({});
       const one = (await context.connect('tenant')).domain(trustDomain);
       one.check({});`,
      `const { tenants, gateways: doors } = providerClients;
       tenants.set({}); doors.doctor({});
       providerClients.certificate.install({});
       sessionClients[side].pause({});
       consoleClient.copyText({});
       // tenantClients.jobs.remove({});
       other.tenants.remove({});`,
    ]);
    expect([...made].sort()).toEqual(
      [
        ...['certificate.install', 'console.copyText', 'gateways.doctor', 'jobs.add', 'jobs.run', 'points.find'],
        ...['sessions.pause', 'tenants.list', 'tenants.set', 'trust.check'],
      ].sort(),
    );
    expect(missingIn(made, ['jobs.add', 'jobs.onlyHere'])).toEqual(['jobs.onlyHere']);
  });
});
