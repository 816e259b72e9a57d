// A log that cannot be written must not end a service. Tests full disks, closed pipes and slow readers.
import { describe, expect, it, vi } from 'vitest';
import { createLogger } from './logger.ts';

class FakeDescriptor {
  written = '';
  /** Bytes of free space. */
  room = Number.POSITIVE_INFINITY;
  error = 'ENOSPC';

  readonly write = (bytes: Buffer): number => {
    const taken = Math.min(bytes.length, this.room);
    if (taken === 0) throw Object.assign(new Error(this.error), { code: this.error });
    this.room -= taken;
    this.written += bytes.toString('utf8', 0, taken);
    return taken;
  };

  get lines(): { msg: string; lines?: number; reason?: string }[] {
    return this.written
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as { msg: string });
  }
}

describe('the log', () => {
  for (const error of ['ENOSPC', 'EIO', 'EPIPE', 'EDQUOT', 'EBADF']) {
    it(`reports after ${error} how many lines were lost, once, and continues`, () => {
      const descriptor = new FakeDescriptor();
      const logger = createLogger({ name: 'tenant', write: descriptor.write });
      logger.info('before');
      Object.assign(descriptor, { room: 0, error });
      logger.info('lost');
      logger.warn('lost too');
      descriptor.room = Number.POSITIVE_INFINITY;
      logger.info('after');
      logger.info('later');
      expect(descriptor.lines.map(({ msg }) => msg)).toEqual([
        'before',
        'Some log lines could not be written and are lost',
        'after',
        'later',
      ]);
      expect(descriptor.lines[1]).toMatchObject({ lines: 2, reason: error });
    });
  }

  it('starts a new line after a full disk has cut a line', () => {
    const descriptor = new FakeDescriptor();
    const logger = createLogger({ name: 'tenant', write: descriptor.write });
    descriptor.room = 20;
    logger.info('cut');
    descriptor.room = Number.POSITIVE_INFINITY;
    logger.info('whole');
    expect(descriptor.lines.map(({ msg }) => msg)).toEqual([
      'Some log lines could not be written and are lost',
      'whole',
    ]);
  });

  it('waits for a slow reader with bounded memory, without blocking', () => {
    vi.useFakeTimers();
    try {
      const descriptor = new FakeDescriptor();
      Object.assign(descriptor, { room: 100, error: 'EAGAIN' });
      const logger = createLogger({ name: 'tenant', write: descriptor.write });
      for (let index = 0; index < 10; index += 1) logger.info(`line ${index}`);
      for (let index = 0; index < 100; index += 1) logger.info('x'.repeat(10_000));
      descriptor.room = Number.POSITIVE_INFINITY;
      vi.advanceTimersByTime(1000);
      logger.info('after');
      const messages = descriptor.lines.map(({ msg }) => msg);
      expect(messages.slice(0, 10)).toEqual(Array.from({ length: 10 }, (_, index) => `line ${index}`));
      expect(messages.at(-1)).toBe('after');
      const loss = descriptor.lines.find(({ reason }) => reason === 'the reader is too slow');
      expect((loss?.lines ?? 0) + messages.filter((text) => text.startsWith('x')).length).toBe(100);
      expect(descriptor.written.length).toBeLessThan(300_000);
    } finally {
      vi.useRealTimers();
    }
  });
});
