// `npm start`: sets up, builds the console and opens it. Without a display it runs `farkeep demo` and says so.
import { buildConsole } from './build-console.mjs';
import { inProject, reportAndExit, requirePinnedNode } from './project.mjs';
import { runInForeground } from './run-in-foreground.mjs';
import { ensureConsole, ensureDependencies, hasDisplay, say } from './setup.mjs';

try {
  process.exitCode = hasDisplay() ? await openConsole() : await runDemo();
} catch (error) {
  reportAndExit(error);
}

async function openConsole() {
  const electron = await ensureConsole();
  const appFolder = await buildConsole({ say });
  say(`opening the console on ${electron.description}`);
  return runInForeground(electron.executable, [...sandboxArguments(electron), appFolder, ...process.argv.slice(2)]);
}

/**
 * Root cannot use Chromium's process sandbox; the renderer keeps its other restrictions (see SECURITY.md).
 * @param {import('./electron/electron-runtime.mjs').ElectronRuntime} electron
 */
function sandboxArguments(electron) {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return [];
  say(`root cannot use Chromium's process sandbox; starting ${electron.version} without it`);
  return ['--no-sandbox'];
}

async function runDemo() {
  await ensureDependencies();
  say('there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set), so the console cannot open.');
  say('running "farkeep demo" instead: provider, gateway and tenant on this machine, one real backup and restore.');
  return runInForeground(requirePinnedNode(), [
    inProject('services', 'cli', 'cli-entry.ts'),
    'demo',
    ...process.argv.slice(2),
  ]);
}
