// `npm run pfx-corpus`: writes PFX files with all installed programs, imports them, and says how many can be opened. Passes its options on.
import { inProject, reportAndExit, requirePinnedNode } from './project.mjs';
import { runInForeground } from './run-in-foreground.mjs';
import { ensureDependencies } from './setup.mjs';

try {
  await ensureDependencies();
  const entry = inProject('services', 'testing', 'certificates', 'pfx-corpus-entry.ts');
  process.exitCode = await runInForeground(requirePinnedNode(), [entry, ...process.argv.slice(2)]);
} catch (error) {
  reportAndExit(error);
}
