import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CertificateUsageEvents } from './certificate-usage-events.ts';

describe('CertificateUsageEvents', () => {
  let published: unknown[];
  let counts: number;
  let news: CertificateUsageEvents;
  beforeEach(() => {
    vi.useFakeTimers();
    published = [];
    counts = 0;
    news = new CertificateUsageEvents({
      publish: (_domain, event, payload) => void published.push([event, payload]),
      publishCounts: () => {
        counts += 1;
        return Promise.resolve();
      },
    });
  });
  afterEach(() => vi.useRealTimers());

  it('publishes the first change at once, and one more event for a burst of a thousand changes', () => {
    for (let count = 0; count < 1000; count += 1) {
      news.usageChanged('provider');
      news.countsChanged();
    }
    expect([published.length, counts]).toEqual([1, 1]);
    vi.advanceTimersByTime(600);
    expect([published.length, counts]).toEqual([2, 2]);
    vi.advanceTimersByTime(10_000);
    expect([published.length, counts]).toEqual([2, 2]);
  });

  it('limits each slot separately', () => {
    news.usageChanged('provider');
    news.usageChanged('server');
    expect(published).toEqual([
      ['usageChanged', { slot: 'provider' }],
      ['usageChanged', { slot: 'server' }],
    ]);
  });

  it('publishes nothing after the stop', () => {
    news.usageChanged('provider');
    news.usageChanged('provider');
    news.countsChanged();
    news.countsChanged();
    news.stop();
    vi.advanceTimersByTime(10_000);
    expect([published.length, counts]).toEqual([1, 1]);
  });
});
