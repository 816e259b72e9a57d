#!/usr/bin/env node
// The `farkeep` command from a checkout: runs the command line on the pinned Node.js. Passes all arguments on.
import { inProject, reportAndExit, requirePinnedNode } from './project.mjs';
import { runInForeground } from './run-in-foreground.mjs';
import { ensureDependencies } from './setup.mjs';

try {
  await ensureDependencies();
  const entry = inProject('services', 'cli', 'cli-entry.ts');
  process.exitCode = await runInForeground(requirePinnedNode(), [entry, ...process.argv.slice(2)], {
    cwd: callersFolder(),
  });
} catch (error) {
  reportAndExit(error);
}

/** `npm run` changes to the top folder of the checkout, but relative paths refer to the caller's folder. */
function callersFolder() {
  const { npm_lifecycle_event: npmScript, INIT_CWD: folder } = process.env;
  return npmScript === 'farkeep' && folder !== undefined ? folder : process.cwd();
}
