// Owns what the WriterLeases of every backend must do; the fake of the tests too (folder/writer-lock.test.ts).
import { expect, it } from 'vitest';
import type { WriterLeases } from '../../repository/store/writer-lease.ts';

/** Declares the tests; `make` gives the leases of an empty place, as two processes would open them. */
export function describeLeases(
  make: () => Promise<{ readonly one: WriterLeases; readonly other: WriterLeases } & AsyncDisposable>,
): void {
  const nobody = (): Promise<void> => Promise.reject(new Error('nobody is dead'));

  it('gives each writer a name of its own and shows that it lives', async () => {
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

  it('leaves nothing of a writer that released its lease', async () => {
    await using made = await make();
    await (await made.one.take()).release();
    expect(await made.other.careForDead(nobody)).toBe(0);
  });

  it('lets one other care for a writer that ended without release, once', async () => {
    await using made = await make();
    const dead = await made.one.take();
    const living = await made.other.take();
    await dead.abandon();
    expect(await made.other.hasOtherLiving(living)).toBe(false);
    const caredFor: string[] = [];
    const care = async (writer: string): Promise<void> => {
      caredFor.push(writer);
      // While somebody cares for it, nobody else does.
      expect(await made.one.careForDead(nobody)).toBe(0);
    };
    expect(await made.other.careForDead(care)).toBe(1);
    expect(caredFor).toEqual([dead.writer]);
    expect(await made.one.careForDead(nobody)).toBe(0);
    await living.release();
  });

  it('keeps the trace of a dead writer when the care for it fails', async () => {
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
