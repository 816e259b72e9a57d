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
const shownMs = { success: 4000, info: 5000, warning: 8000, error: 10_000 } as const;

export function showToast(intent: ToastIntent, text: string): void {
  lastKey += 1;
  const key = lastKey;
  useToasts.setState(({ toasts }) => ({ toasts: [...toasts.slice(-2), { key, intent, text }] }));
  setTimeout(() => dismissToast(key), shownMs[intent]);
}

export function dismissToast(key: number): void {
  useToasts.setState(({ toasts }) => ({ toasts: toasts.filter((toast) => toast.key !== key) }));
}
