// Owns the connection to the main process: `window.farkeep` and its calls. Knows no domain, and keeps no state except call identifiers.
import type { CallSender } from '../../services/contracts/client.ts';
import type { FarkeepBridge } from '../../services/contracts/carrier.ts';
import type { CallTarget } from '../../services/contracts/contract.ts';

declare global {
  interface Window {
    readonly farkeep: FarkeepBridge;
  }
}

let lastCall = 0;

function nextCallId(): string {
  lastCall += 1;
  return `renderer-${lastCall}`;
}

export function getBridge(): FarkeepBridge {
  return window.farkeep;
}

/** A sender for the typed clients. If its signal is aborted, the call is also canceled on the other side. */
export function sendTo(target: CallTarget): CallSender {
  return async (domain, command, input, { signal }) => {
    const bridge = getBridge();
    const id = nextCallId();
    const cancel = (): void => bridge.cancel(id);
    if (signal?.aborted === true) {
      return {
        ok: false,
        error: { code: 'call.canceled', message: 'Canceled before it was sent.', hint: '', retryable: false },
      };
    }
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      return await bridge.call({ target, id, domain, command, input });
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  };
}
