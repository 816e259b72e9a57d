// `npm run bench`: sets up what the benchmarks need and runs them on the pinned Node.js. Passes its options on.
import { buildConsole } from './build-console.mjs';
import { inProject, reportAndExit, requirePinnedNode } from './project.mjs';
import { runInForeground } from './run-in-foreground.mjs';
import { ensureConsole, ensureDependencies, hasDisplay, say } from './setup.mjs';
import { startVirtualDisplay } from './virtual-display.mjs';

const options = process.argv.slice(2);

try {
  await ensureDependencies();
  const { environment, stop } = isConsoleMeasured() ? await setUpConsole() : { environment: {}, stop: undefined };
  try {
    process.exitCode = await runInForeground(requirePinnedNode(), [inProject('bench', 'bench-entry.ts'), ...options], {
      env: { ...process.env, ...environment },
    });
  } finally {
    await stop?.();
  }
} catch (error) {
  reportAndExit(error);
}

function isConsoleMeasured() {
  const at = options.findIndex((option) => option === '--only' || option.startsWith('--only='));
  return at === -1 || /console|startup/.test(`${options[at]} ${options[at + 1]}`);
}

/**
 * On a machine that cannot start the console, the other benchmarks still run and the reason is printed.
 * @returns {Promise<{ environment: NodeJS.ProcessEnv, stop: (() => Promise<void>) | undefined }>}
 */
async function setUpConsole() {
  try {
    const electron = await ensureConsole();
    await buildConsole({ say });
    const display = hasDisplay() ? undefined : await startVirtualDisplay();
    return {
      environment: {
        FARKEEP_TEST_ELECTRON: electron.executable,
        FARKEEP_BENCH_ELECTRON: electron.description,
        ...(display === undefined ? {} : { DISPLAY: display.display }),
      },
      stop: display?.stop,
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { environment: { FARKEEP_BENCH_NO_CONSOLE: reason }, stop: undefined };
  }
}
