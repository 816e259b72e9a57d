// `npm run pfx-corpus`: writes PFX files by all programs that are there, imports them, and says how many open. Options are passed on.
import { spawn } from 'node:child_process';
import { inProject, reportAndExit, requirePinnedNode } from './project.mjs';
import { ensureDependencies } from './setup.mjs';

try {
  await ensureDependencies();
  const entry = inProject('services', 'testing', 'certificates', 'pfx-corpus-entry.ts');
  const corpus = spawn(requirePinnedNode(), [entry, ...process.argv.slice(2)], { stdio: 'inherit' });
  process.on('SIGINT', () => undefined);
  corpus.once('close', (code) => {
    process.exitCode = code ?? 1;
  });
} catch (error) {
  reportAndExit(error);
}
