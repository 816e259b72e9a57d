#!/usr/bin/env node
// The `farkeep` command from a checkout: runs the command line on the pinned Node.js. Passes everything on and adds nothing.
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

/** `npm run` changes to the checkout's top folder; relative paths are meant from where it was called. */
function callersFolder() {
  const { npm_lifecycle_event: npmScript, INIT_CWD: folder } = process.env;
  return npmScript === 'farkeep' && folder !== undefined ? folder : process.cwd();
}
