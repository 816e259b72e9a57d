import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeTemporaryFolder } from '../../testing/temporary-folder.ts';
import { acquireInstanceLock } from './instance-lock.ts';

describe('instance lock', () => {
  it('is held by one service at a time, and names the holder', async () => {
    const folder = path.join(await makeTemporaryFolder(), 'provider');
    const lock = await acquireInstanceLock(folder);
    await expect(acquireInstanceLock(folder)).rejects.toMatchObject({
      code: 'service.locked',
      message: expect.stringContaining(`process ${process.pid}`) as string,
    });
    await lock.release();
    await lock.release();
    await (await acquireInstanceLock(folder)).release();
  });

  it.runIf(process.platform === 'linux')('reports a folder that cannot be made', async () => {
    await expect(acquireInstanceLock('/proc/farkeep/provider')).rejects.toMatchObject({ code: 'storage.io' });
  });

  it('is given to exactly one of many processes', async () => {
    const folder = await makeTemporaryFolder();
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => acquireInstanceLock(folder)));
    const won = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    expect(won).toHaveLength(1);
    await won[0]?.value.release();
  });

  it('excludes other processes, and ends when its process is killed', async () => {
    const folder = await makeTemporaryFolder();
    const module = new URL('./instance-lock.ts', import.meta.url).href;
    const script = `const { acquireInstanceLock } = await import(${JSON.stringify(module)});
      await acquireInstanceLock(${JSON.stringify(folder)}); console.log('held'); setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void holder.kill('SIGKILL'));
    await once(holder.stdout, 'data');
    await expect(acquireInstanceLock(folder)).rejects.toMatchObject({
      code: 'service.locked',
      message: expect.stringContaining(`process ${holder.pid}`) as string,
    });
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await (await acquireInstanceLock(folder)).release();
  });
});
