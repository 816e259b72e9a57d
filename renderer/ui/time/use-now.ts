// Owns the time of day for components: running durations, countdowns, and what changes at known moments. A component is drawn again only when
// its text can change.
import { useCallback, useSyncExternalStore } from 'react';
import { lastPassed, nextOf, SharedClock } from './shared-clock.ts';

const clock = new SharedClock();
const subscribeToNothing = (): (() => void) => () => undefined;
const stepMs = 1000;

/** Milliseconds since 1970, in whole seconds. Does not tick while `isTicking` is false. */
export function useNow(isTicking = true): number {
  const subscribe = useCallback(
    (listener: () => void) => clock.watch((nowMs) => (Math.floor(nowMs / stepMs) + 1) * stepMs, listener),
    [],
  );
  return useSyncExternalStore(
    isTicking ? subscribe : subscribeToNothing,
    () => Math.floor(Date.now() / stepMs) * stepMs,
  );
}

/** The last of these moments that has passed, in milliseconds since 1970; 0 before the first one. */
export function useLastPassed(moments: readonly number[]): number {
  const key = moments.join(' ');
  const subscribe = useCallback(
    (listener: () => void) => {
      const watched = key.split(' ').map(Number);
      return clock.watch((nowMs) => nextOf(watched, nowMs), listener);
    },
    [key],
  );
  return useSyncExternalStore(subscribe, () => lastPassed(moments, Date.now()));
}
