import { describe, expect, it } from 'vitest';
import { EventFeed } from './event-feed.ts';

describe('EventFeed', () => {
  it('takes what comes first as the beginning, wherever it starts', () => {
    const feed = new EventFeed();
    expect(feed.accept({ incarnation: 3, sequence: 17 })).toBe('next');
    expect(feed.accept({ incarnation: 3, sequence: 18 })).toBe('next');
  });

  it('tells a gap, and goes on from there', () => {
    const feed = new EventFeed();
    feed.accept({ incarnation: 1, sequence: 1 });
    expect(feed.accept({ incarnation: 1, sequence: 3 })).toBe('gap');
    expect(feed.accept({ incarnation: 1, sequence: 4 })).toBe('next');
  });

  it('drops what it has seen, and what a process that is gone still sent', () => {
    const feed = new EventFeed();
    feed.accept({ incarnation: 2, sequence: 5 });
    expect(feed.accept({ incarnation: 2, sequence: 5 })).toBe('stale');
    expect(feed.accept({ incarnation: 1, sequence: 99 })).toBe('stale');
  });

  it('sees a restarted process as a gap, even when its numbers fit', () => {
    const feed = new EventFeed();
    feed.accept({ incarnation: 1, sequence: 1 });
    expect(feed.accept({ incarnation: 2, sequence: 2 })).toBe('gap');
    expect(feed.accept({ incarnation: 2, sequence: 3 })).toBe('next');
  });
});
