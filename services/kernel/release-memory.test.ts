import { createCipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { releaseMemory } from './release-memory.ts';

describe('releaseMemory', () => {
  it('frees large memory and empties every view of it', () => {
    const memory = Buffer.allocUnsafeSlow(100_000);
    const view = memory.subarray(10, 20);
    releaseMemory(view);
    expect([memory.length, view.length]).toEqual([0, 0]);
    expect(() => {
      releaseMemory(view);
    }).not.toThrow();
  });

  it('frees the output of a cipher', () => {
    const cipher = createCipheriv('aes-256-gcm', Buffer.alloc(32), Buffer.alloc(12));
    const sealed = cipher.update(Buffer.alloc(50_000));
    releaseMemory(sealed);
    expect(sealed).toHaveLength(0);
  });

  it('keeps memory that Node shares between buffers, and small memory', () => {
    const [pooled, small] = [Buffer.from('a pooled buffer'), new Uint8Array(100)];
    releaseMemory(pooled);
    releaseMemory(small);
    expect(pooled.toString()).toBe('a pooled buffer');
    expect(small).toHaveLength(100);
  });
});
