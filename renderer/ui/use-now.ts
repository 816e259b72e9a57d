// Owns a clock for running durations and countdowns. It ticks only while a shown component needs it.
import { useSyncExternalStore } from 'react';

let now = Date.now();
let timer: ReturnType<typeof setInterval> | null = null;
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const notify of listeners) notify();
  }, 1000);
  now = Date.now();
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  };
}

const subscribeToNothing = (): (() => void) => () => undefined;

/** Milliseconds since 1970, rounded to the given step, so that components redraw rarely. Constant while `isTicking` is false. */
export function useNow(isTicking = true, stepMs = 1): number {
  return useSyncExternalStore(isTicking ? subscribe : subscribeToNothing, () => now - (now % stepMs));
}
