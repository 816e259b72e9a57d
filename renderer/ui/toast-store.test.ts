import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { dismissToast, holdToasts, releaseToasts, showToast, useToasts } from './toast-store.ts';

const texts = (): readonly string[] => useToasts.getState().toasts.map(({ text }) => text);

describe('short messages', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    for (const { key } of useToasts.getState().toasts) dismissToast(key);
    vi.useRealTimers();
  });

  it('are at most three; the oldest one gives way', () => {
    for (const text of ['one', 'two', 'three', 'four']) showToast('info', text);
    expect(texts()).toEqual(['two', 'three', 'four']);
  });

  it('disappear after a while', () => {
    showToast('success', 'Saved');
    vi.advanceTimersByTime(3900);
    expect(texts()).toEqual(['Saved']);
    vi.advanceTimersByTime(200);
    expect(texts()).toEqual([]);
  });

  it('stay while a person reads them, and then their full time', () => {
    showToast('success', 'Saved');
    vi.advanceTimersByTime(3900);
    holdToasts();
    showToast('success', 'Copied');
    vi.advanceTimersByTime(60_000);
    expect(texts()).toEqual(['Saved', 'Copied']);
    releaseToasts();
    vi.advanceTimersByTime(3900);
    expect(texts()).toEqual(['Saved', 'Copied']);
    vi.advanceTimersByTime(200);
    expect(texts()).toEqual([]);
  });

  it('do not stay for ever after the held one was closed', () => {
    showToast('info', 'one');
    holdToasts();
    dismissToast(useToasts.getState().toasts[0]?.key ?? 0);
    showToast('info', 'two');
    vi.advanceTimersByTime(5100);
    expect(texts()).toEqual([]);
  });
});
