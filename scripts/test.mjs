// `npm test`: sets up, then runs the checks on the pinned Node.js. Passes its options on.
import { inProject, reportAndExit, requirePinnedNode } from './project.mjs';
import { runInForeground } from './run-in-foreground.mjs';
import { ensureDependencies } from './setup.mjs';

try {
  await ensureDependencies();
  process.exitCode = await runInForeground(requirePinnedNode(), [
    inProject('scripts', 'checks.mjs'),
    ...process.argv.slice(2),
  ]);
} catch (error) {
  process.once('exit', () => process.stdout.write('0 passed, 1 failed\n'));
  reportAndExit(error);
}
