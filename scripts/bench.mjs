// `npm run bench`: sets up what the benchmarks need and runs them on the pinned Node.js. Options are passed on.
import { spawn } from 'node:child_process';
import { inProject, reportAndExit, requirePinnedNode } from './project.mjs';
import { ensureDependencies } from './setup.mjs';

try {
  await ensureDependencies();
  const bench = spawn(requirePinnedNode(), [inProject('bench', 'bench-entry.ts'), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  process.on('SIGTERM', () => bench.kill('SIGTERM'));
  process.on('SIGINT', () => undefined);
  bench.once('close', (code) => {
    process.exitCode = code ?? 1;
  });
} catch (error) {
  reportAndExit(error);
}
