// Owns building the console (main, preload, renderer) into build/console. Does nothing when no source has changed.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { consoleFolder, inProject, projectFolder, readJson, requirePinnedNode, SetUpError } from './project.mjs';
import { runCommand } from './run-command.mjs';

const parts = [
  { name: 'main', config: 'electron/vite.main.config.mjs', output: 'main/index.cjs' },
  { name: 'preload', config: 'electron/vite.preload.config.mjs', output: 'preload/index.cjs' },
  { name: 'renderer', config: 'renderer/vite.config.mjs', output: 'renderer/index.html' },
];
const sources = [
  'electron',
  'renderer',
  'services',
  'assets',
  'package.json',
  'package-lock.json',
  'tsconfig.base.json',
  'scripts/build-console.mjs',
];
const stampFile = path.join(consoleFolder, '.sources');

/** Returns a hash of the names, sizes and times of all sources. The hash shows every change and is fast enough for each start. */
function sourcesStamp() {
  const hash = createHash('sha256');
  /** @param {string} file */
  const add = (file) => {
    if (!existsSync(file)) return;
    const status = statSync(file);
    if (status.isDirectory()) {
      for (const name of readdirSync(file).sort()) add(path.join(file, name));
    } else {
      hash.update(`${path.relative(projectFolder, file)} ${status.size} ${status.mtimeMs}\n`);
    }
  };
  for (const source of sources) add(inProject(source));
  return hash.digest('hex');
}

function isBuilt() {
  return (
    existsSync(stampFile) &&
    readFileSync(stampFile, 'utf8') === sourcesStamp() &&
    parts.every(({ output }) => existsSync(path.join(consoleFolder, output)))
  );
}

/**
 * @param {{ say: (text: string) => void }} options
 * @returns {Promise<string>} the app folder for Electron
 */
export async function buildConsole({ say }) {
  if (isBuilt()) return consoleFolder;
  say('building the console');
  const stamp = sourcesStamp();
  const vite = inProject('node_modules', 'vite', 'bin', 'vite.js');
  for (const { name, config } of parts) {
    const { exitCode, output } = await runCommand(
      requirePinnedNode(),
      [vite, 'build', '--config', inProject(config), '--logLevel', 'warn'],
      { cwd: projectFolder, env: { ...process.env, NO_COLOR: '1' }, deadlineMs: 300_000 },
    );
    if (exitCode !== 0) {
      process.stderr.write(output);
      throw new SetUpError(`The console's ${name} part could not be built.`, 'Correct the error in the message above.');
    }
  }
  mkdirSync(consoleFolder, { recursive: true });
  const { name, version } = readJson('package.json');
  const appPackage = { name, version, productName: 'Farkeep', main: 'main/index.cjs' };
  writeFileSync(path.join(consoleFolder, 'package.json'), `${JSON.stringify(appPackage, undefined, 2)}\n`);
  writeFileSync(stampFile, stamp);
  return consoleFolder;
}
