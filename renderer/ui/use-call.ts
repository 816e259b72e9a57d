// Owns the state of one call of a component: busy, error, cancel. Removing the component does not cancel the call.
import { useCallback, useRef, useState } from 'react';
import type { ErrorInfo } from '../../services/contracts/errors.ts';
import { isCanceled, toErrorInfo } from '../platform/error-info.ts';

export interface CallState {
  readonly isBusy: boolean;
  readonly error: ErrorInfo | null;
  /** Resolves to true if the work succeeded. A canceled call is neither an error nor a success. */
  readonly run: (work: (signal: AbortSignal) => Promise<unknown>) => Promise<boolean>;
  readonly cancel: () => void;
  readonly clearError: () => void;
  readonly fail: (error: ErrorInfo) => void;
}

export function useCall(): CallState {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ErrorInfo | null>(null);
  const controller = useRef<AbortController | null>(null);

  const run = useCallback<CallState['run']>(async (work) => {
    const own = new AbortController();
    controller.current = own;
    setBusy(true);
    setError(null);
    try {
      await work(own.signal);
      return true;
    } catch (thrown) {
      if (!isCanceled(thrown)) setError(toErrorInfo(thrown));
      return false;
    } finally {
      if (controller.current === own) {
        controller.current = null;
        setBusy(false);
      }
    }
  }, []);
  const cancel = useCallback(() => controller.current?.abort(), []);
  const clearError = useCallback(() => setError(null), []);
  return { isBusy, error, run, cancel, clearError, fail: setError };
}
