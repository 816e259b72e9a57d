import path from 'node:path';
import { describe } from 'vitest';
import { describeLeases } from '../../testing/repository/lease-conformance.ts';
import { MemoryLeases } from '../../testing/repository/memory-place.ts';
import { scratchFolder } from '../../testing/repository/repository-fixture.ts';
import { WriterLocks } from './writer-lock.ts';

describe('the locks of writers in a folder', () => {
  describeLeases(async () => {
    const scratch = await scratchFolder();
    const incoming = path.join(scratch.folder, 'incoming');
    const [one, other] = [new WriterLocks(incoming), new WriterLocks(incoming)];
    return { one, other, [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose]() };
  });
});

describe('the leases of the tests', () => {
  describeLeases(() => {
    const leases = new MemoryLeases();
    return Promise.resolve({ one: leases, other: leases, [Symbol.asyncDispose]: () => Promise.resolve() });
  });
});
