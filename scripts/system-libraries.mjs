// Owns the Debian packages that Node.js, Electron, the virtual display and the tests need. Installs only missing ones, and only as root.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { SetUpError } from './project.mjs';
import { runCommand } from './run-command.mjs';

/**
 * Each needed shared library or program, and the packages that contain it. Debian 13 and Ubuntu 24.04 renamed some packages (64-bit time),
 * so the first name in the machine's package list is used.
 */
const packagesByLibrary = {
  'libgtk-3.so.0': ['libgtk-3-0t64', 'libgtk-3-0'],
  'libnss3.so': ['libnss3'],
  'libnspr4.so': ['libnspr4'],
  'libasound.so.2': ['libasound2t64', 'libasound2'],
  'libgbm.so.1': ['libgbm1'],
  'libdrm.so.2': ['libdrm2'],
  'libcups.so.2': ['libcups2t64', 'libcups2'],
  'libatk-1.0.so.0': ['libatk1.0-0t64', 'libatk1.0-0'],
  'libatk-bridge-2.0.so.0': ['libatk-bridge2.0-0t64', 'libatk-bridge2.0-0'],
  'libatspi.so.0': ['libatspi2.0-0t64', 'libatspi2.0-0'],
  'libxkbcommon.so.0': ['libxkbcommon0'],
  'libXcomposite.so.1': ['libxcomposite1'],
  'libXdamage.so.1': ['libxdamage1'],
  'libXfixes.so.3': ['libxfixes3'],
  'libXrandr.so.2': ['libxrandr2'],
  'libpango-1.0.so.0': ['libpango-1.0-0'],
  'libcairo.so.2': ['libcairo2'],
  'libdbus-1.so.3': ['libdbus-1-3'],
  'libexpat.so.1': ['libexpat1'],
  'libglib-2.0.so.0': ['libglib2.0-0t64', 'libglib2.0-0'],
};

/** @param {string} program */
export function findProgram(program) {
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
    if (folder !== '' && existsSync(path.join(folder, program))) return path.join(folder, program);
  }
  return undefined;
}

/** @returns {Promise<Set<string>>} names of the shared libraries that the dynamic linker knows */
async function knownLibraries() {
  const ldconfig = findProgram('ldconfig') ?? '/sbin/ldconfig';
  const { exitCode, stdout } = await runCommand(ldconfig, ['-p'], { deadlineMs: 20_000 });
  if (exitCode !== 0) throw new SetUpError('ldconfig did not list the shared libraries.', 'Run "/sbin/ldconfig -p".');
  return new Set([...stdout.matchAll(/^\s+(\S+) \(/gm)].map((match) => match[1] ?? ''));
}

/** @param {readonly string[]} candidates */
async function firstKnownPackage(candidates) {
  for (const name of candidates) {
    const { stdout } = await runCommand('apt-cache', ['policy', name], { deadlineMs: 30_000 });
    if (/Candidate: (?!\(none\))/.test(stdout)) return name;
  }
  return candidates.at(-1) ?? '';
}

/** @param {{ hasDisplay: boolean }} options */
async function missingPackages({ hasDisplay }) {
  const present = await knownLibraries();
  /** @type {string[][]} */
  const missing = Object.entries(packagesByLibrary)
    .filter(([library]) => !present.has(library))
    .map(([, candidates]) => candidates);
  if (!hasDisplay && findProgram('Xvfb') === undefined) missing.push(['xvfb']);
  return missing;
}

/**
 * Installs what Electron needs on Debian and its relatives; prints the exact command when it may not install.
 * @param {{ say: (text: string) => void, hasDisplay: boolean }} options
 */
export async function ensureSystemLibraries({ say, hasDisplay }) {
  if (process.platform !== 'linux') return;
  const missing = await missingPackages({ hasDisplay });
  if (missing.length === 0) return;
  await installPackages('Electron', missing, { say });
  const still = await missingPackages({ hasDisplay });
  if (still.length > 0) {
    throw new SetUpError(
      `Still missing after the installation: ${still.map((candidates) => candidates.join(' or ')).join(', ')}.`,
      'Install them by hand, then run the same command again.',
    );
  }
}

/**
 * Installs programs for tests or benchmarks; each program has a package of the same name.
 * @param {readonly string[]} programs
 * @param {{ say: (text: string) => void, user: string }} options `user`: what needs them, for people
 */
export async function ensurePrograms(programs, { say, user }) {
  const missing = programs.filter((program) => findProgram(program) === undefined);
  if (missing.length > 0) {
    await installPackages(
      user,
      missing.map((program) => [program]),
      { say },
    );
  }
}

/**
 * Installs OpenSSL's legacy provider, with which tests write files like those of old programs. Debian 12 has it in its library package.
 * @param {{ say: (text: string) => void, user: string }} options
 */
export async function ensureLegacyOpenSsl({ say, user }) {
  const { exitCode } = await runCommand('openssl', ['list', '-providers', '-provider', 'legacy'], {
    deadlineMs: 30_000,
  });
  if (exitCode !== 0) await installPackages(user, [['openssl-provider-legacy']], { say });
}

/** Libraries that the official Node.js builds need and that a minimal Debian may lack. */
const nodeLibraries = { 'libatomic.so.1': ['libatomic1'], 'libstdc++.so.6': ['libstdc++6'] };

/**
 * Makes sure that the pinned Node.js can run here: on a minimal system a library may be missing.
 * @param {string} executable
 * @param {{ say: (text: string) => void }} options
 */
export async function ensureNodeRuns(executable, { say }) {
  for (const isLastTry of [false, false, true]) {
    const { exitCode, output } = await runCommand(executable, ['--version'], { deadlineMs: 30_000 });
    if (exitCode === 0) return;
    const library = /error while loading shared libraries: ([^:]+):/.exec(output)?.[1] ?? '';
    const candidates = Object.entries(nodeLibraries).find(([name]) => name === library)?.[1];
    if (isLastTry || candidates === undefined) {
      throw new SetUpError(
        `The Node.js runtime ${executable} does not run here: ${output.trim()}`,
        library === ''
          ? 'See the message above.'
          : `Install the package that contains ${library}, then run the same command again.`,
      );
    }
    await installPackages('Node.js', [candidates], { say });
  }
}

/**
 * @param {string} user what needs them, for people
 * @param {readonly (readonly string[])[]} missing candidates for each package
 * @param {{ say: (text: string) => void }} options
 */
async function installPackages(user, missing, { say }) {
  if (findProgram('apt-get') === undefined) {
    throw new SetUpError(
      `${user} needs libraries that are missing here (Debian names: ${missing.map((names) => names.at(-1)).join(', ')}).`,
      'Install them with the package manager of this system, then run the same command again.',
    );
  }
  const isRoot = process.getuid?.() === 0;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  if (isRoot) {
    say('updating the list of Debian packages');
    const update = await runCommand('apt-get', ['update', '-q'], { env, show: 'stderr' });
    if (update.exitCode !== 0) say('the list could not be updated; trying with the present one');
  }
  const names = await Promise.all(missing.map((candidates) => firstKnownPackage(candidates)));
  const install = ['install', '-y', '-q', '--no-install-recommends', ...names];
  if (!isRoot) {
    throw new SetUpError(
      `${user} needs ${names.length} system package(s) that are missing: ${names.join(', ')}.`,
      `Run "sudo apt-get update && sudo apt-get ${install.join(' ')}", then the same command again.`,
    );
  }
  say(`installing system packages for ${user}: ${names.join(', ')}`);
  const { exitCode } = await runCommand('apt-get', install, { env, show: 'stderr' });
  if (exitCode !== 0) {
    throw new SetUpError(
      `apt-get could not install the packages that ${user} needs (its message is above).`,
      `Run "apt-get ${install.join(' ')}" by hand, then the same command again.`,
    );
  }
}
