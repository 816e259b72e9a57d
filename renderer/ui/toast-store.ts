// Owns short confirmations at the edge of the window. A message that needs an answer must not use them.
import { create } from 'zustand';

export type ToastIntent = 'success' | 'info' | 'warning' | 'error';

interface ToastMessage {
  readonly key: number;
  readonly intent: ToastIntent;
  readonly text: string;
}

export const useToasts = create<{ readonly toasts: readonly ToastMessage[] }>(() => ({ toasts: [] }));

let lastKey = 0;
let isHeld = false;
const shownMs = { success: 4000, info: 5000, warning: 8000, error: 10_000 } as const;
const maxShown = 3;
const timers = new Map<number, ReturnType<typeof setTimeout>>();

export function showToast(intent: ToastIntent, text: string): void {
  lastKey += 1;
  const toast: ToastMessage = { key: lastKey, intent, text };
  for (const { key } of useToasts.getState().toasts.slice(0, 1 - maxShown)) dismissToast(key);
  useToasts.setState(({ toasts }) => ({ toasts: [...toasts, toast] }));
  if (!isHeld) startTimer(toast);
}

export function dismissToast(key: number): void {
  clearTimeout(timers.get(key));
  timers.delete(key);
  useToasts.setState(({ toasts }) => ({ toasts: toasts.filter((toast) => toast.key !== key) }));
  // The button that had the focus or the pointer may disappear without an event.
  if (useToasts.getState().toasts.length === 0) isHeld = false;
}

/** Keeps all messages while a person reads one, with the pointer or the focus on it. */
export function holdToasts(): void {
  isHeld = true;
  for (const timer of timers.values()) clearTimeout(timer);
  timers.clear();
}

/** From now on, each message stays its full time again. */
export function releaseToasts(): void {
  if (!isHeld) return;
  isHeld = false;
  for (const toast of useToasts.getState().toasts) startTimer(toast);
}

function startTimer({ key, intent }: ToastMessage): void {
  timers.set(
    key,
    setTimeout(() => dismissToast(key), shownMs[intent]),
  );
}
