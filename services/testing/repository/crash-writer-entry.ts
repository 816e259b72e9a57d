// Owns a writer process that the test kills. It appends seeded blocks to a tenant folder, and prints the durable blocks and the committed
// restore points. Must be started by crash.test.ts only. Arguments: folder, seed of the contents, size of packs.
import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { silentLogger } from '../../kernel/logger.ts';
import { TenantStore } from '../../repository/store/tenant-store.ts';
import { appendContent, commitItems, entryOf } from './repository-fixture.ts';
import type { ManifestItem } from '../../repository/points/tree-entry.ts';
import { openFolderPlace } from '../../repository/folder/folder-place.ts';

const [folder = '', seed = '', packBytes = '0'] = process.argv.slice(2);

function contentOf(contentSeed: string, index: number): Buffer {
  const block = createHash('sha512').update(`${contentSeed}/${index}`).digest();
  return Buffer.concat(Array.from({ length: 1 + (block[0] ?? 0) * 4 }, () => block));
}

/** Writes synchronously and in order, so that every durable block that the process has acknowledged is also printed before the kill. */
function say(line: string): void {
  writeSync(1, `${line}\n`);
}

const store = await TenantStore.open({
  place: openFolderPlace(folder),
  mode: 'write',
  logger: silentLogger,
  packBytes: Number(packBytes),
  onDurable: ({ ids }) => {
    for (const id of ids) say(`durable ${id.toString('hex')}`);
  },
});
say('open');
for (let round = 0; ; round += 1) {
  const items: ManifestItem[] = [{ type: 'entry', entry: entryOf('folder', '') }];
  for (let index = 0; index < 40; index += 1) {
    const content = contentOf(seed, round * 40 + index);
    const id = await appendContent(store, content);
    const name = String(index).padStart(2, '0');
    items.push({
      type: 'entry',
      entry: entryOf('file', name, { sizeBytes: content.length, content: [{ id, lengthBytes: content.length }] }),
    });
  }
  await commitItems(store, `${seed}-${round}`, items);
  say(`committed ${seed}-${round}`);
}
