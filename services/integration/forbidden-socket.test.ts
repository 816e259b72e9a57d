// A service that belongs to another account: the caller learns whose it is, and what to do.
import { chmod, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { runCli } from '../testing/site/run-cli.ts';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';

const nobody = 65_534;

it.skipIf(process.getuid?.() !== 0)('names the owner of the service and the next step', async () => {
  const home = await makeTemporaryFolder();
  await mkdir(path.join(home, 'tenant'), { mode: 0o700 });
  await chmod(home, 0o755);
  const result = await runCli(['job', 'list', '--json', '--home', home], { userId: nobody });
  const { error } = result.json() as { error: { code: string; message: string; hint: string } };
  expect(error.code).toBe('call.refused');
  expect(error.message).toContain('belongs to root');
  expect(error.hint).toContain('SSH');
});
