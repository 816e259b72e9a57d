// Owns the progress value of a certificate import. The service reports progress while it reads a file with many rounds of key derivation.
import { useCallback, useEffect, useState } from 'react';
import { certificateDomain } from '../../../services/contracts/rpc/certificate.ts';
import { getBridge } from '../../platform/bridge.ts';

export interface ImportProgress {
  /** From 0 to 1; null until the service reports progress. */
  readonly share: number | null;
  /** Starts a new import. @returns the identifier to send with the request */
  readonly begin: () => string;
}

export function useImportProgress(): ImportProgress {
  const [current, setCurrent] = useState<{ progressId: string; share: number | null } | null>(null);
  useEffect(
    () =>
      getBridge().onEvent(({ target, domain, event, payload }) => {
        if (target !== 'provider' || domain !== certificateDomain.name || event !== 'importProgressed') return;
        const told = certificateDomain.events.importProgressed.payload.safeParse(payload);
        if (!told.success) return;
        // Another console may import at the same time. Progress of another import is ignored.
        setCurrent((before) => (before?.progressId === told.data.progressId ? told.data : before));
      }),
    [],
  );
  const begin = useCallback(() => {
    const progressId = crypto.getRandomValues(new Uint32Array(4)).join('-');
    setCurrent({ progressId, share: null });
    return progressId;
  }, []);
  return { share: current?.share ?? null, begin };
}
