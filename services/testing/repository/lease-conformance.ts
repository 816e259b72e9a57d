// Owns the requirements for the WriterLeases of every storage backend, as tests; the in-memory leases of the tests run them too
// (folder/writer-lock.test.ts).
import { expect, it } from 'vitest';
import type { WriterLeases } from '../../repository/store/writer-lease.ts';

/** Declares the tests; `make` returns the leases of an empty place, opened twice as by two processes. */
export function describeLeases(
  make: () => Promise<{ readonly one: WriterLeases; readonly other: WriterLeases } & AsyncDisposable>,
): void {
  const nobody = (): Promise<void> => Promise.reject(new Error('there is no dead writer'));

  it('gives each writer its own name and reports the writer as alive', async () => {
    await using made = await make();
    const [first, second] = [await made.one.take(), await made.other.take()];
    expect(first.writer).toMatch(/^[0-9a-f]{16}$/);
    expect(second.writer).not.toBe(first.writer);
    expect(await made.one.hasOtherLiving(first)).toBe(true);
    expect(await made.other.careForDead(nobody)).toBe(0);
    await second.release();
    expect(await made.one.hasOtherLiving(first)).toBe(false);
    await first.release();
  });

  it('removes all traces of a writer that released its lease', async () => {
    await using made = await make();
    await (await made.one.take()).release();
    expect(await made.other.careForDead(nobody)).toBe(0);
  });

  it('lets exactly one other process clean up after a writer that ended without release', async () => {
    await using made = await make();
    const dead = await made.one.take();
    const living = await made.other.take();
    await dead.abandon();
    expect(await made.other.hasOtherLiving(living)).toBe(false);
    const caredFor: string[] = [];
    const care = async (writer: string): Promise<void> => {
      caredFor.push(writer);
      // The first process still cleans up after the dead writer, so the second must not.
      expect(await made.one.careForDead(nobody)).toBe(0);
    };
    expect(await made.other.careForDead(care)).toBe(1);
    expect(caredFor).toEqual([dead.writer]);
    expect(await made.one.careForDead(nobody)).toBe(0);
    await living.release();
  });

  it('keeps the trace of a dead writer when the cleanup fails', async () => {
    await using made = await make();
    const dead = await made.one.take();
    await dead.abandon();
    await expect(made.other.careForDead(() => Promise.reject(new Error('full')))).rejects.toThrow('full');
    const caredFor: string[] = [];
    const note = (writer: string): Promise<void> => {
      caredFor.push(writer);
      return Promise.resolve();
    };
    expect(await made.other.careForDead(note)).toBe(1);
    expect(caredFor).toEqual([dead.writer]);
  });
}
