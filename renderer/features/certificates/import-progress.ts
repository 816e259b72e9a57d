// Owns how much of an import is done: the service tells it while a file with very many rounds of key derivation is read.
import { useCallback, useEffect, useState } from 'react';
import { certificateDomain } from '../../../services/contracts/rpc/certificate.ts';
import { getBridge } from '../../platform/bridge.ts';

export interface ImportProgress {
  /** From 0 to 1; null as long as nothing was told. */
  readonly share: number | null;
  /** A new import. @returns the identifier to send with it */
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
        // Another console may import at the same time.
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
