import { describe, expect, it } from 'vitest';
import { EventFeed } from './event-feed.ts';

describe('EventFeed', () => {
  it('accepts any first number', () => {
    const feed = new EventFeed();
    expect(feed.accept({ incarnation: 3, sequence: 17 })).toBe('next');
    expect(feed.accept({ incarnation: 3, sequence: 18 })).toBe('next');
  });

  it('reports a gap, and continues from there', () => {
    const feed = new EventFeed();
    feed.accept({ incarnation: 1, sequence: 1 });
    expect(feed.accept({ incarnation: 1, sequence: 3 })).toBe('gap');
    expect(feed.accept({ incarnation: 1, sequence: 4 })).toBe('next');
  });

  it('drops events that it has seen, and late events of an earlier process', () => {
    const feed = new EventFeed();
    feed.accept({ incarnation: 2, sequence: 5 });
    expect(feed.accept({ incarnation: 2, sequence: 5 })).toBe('stale');
    expect(feed.accept({ incarnation: 1, sequence: 99 })).toBe('stale');
  });

  it('reports a restarted process as a gap, even if its numbers fit', () => {
    const feed = new EventFeed();
    feed.accept({ incarnation: 1, sequence: 1 });
    expect(feed.accept({ incarnation: 2, sequence: 2 })).toBe('gap');
    expect(feed.accept({ incarnation: 2, sequence: 3 })).toBe('next');
  });
});
