// Owns the sentences about what a stop of services interrupts, with real figures. The question at the end of the console and the question
// before a stop use the same.
import type { ServiceRole } from '../../../services/contracts/contract.ts';
import { useText, type TextFunction } from '../../i18n/use-text.ts';
import type { MirrorState } from '../../platform/mirror/mirror-state.ts';
import { useMirror } from '../../platform/use-mirror.ts';

export interface StopFigures {
  /** Enabled tenants of the provider on this computer; null while unknown. */
  readonly tenants: number | null;
  /** Open connections of the gateway on this computer; null while unknown. */
  readonly connections: number | null;
}

export function stopFigures({ provider, gateway }: Pick<MirrorState, 'provider' | 'gateway'>): StopFigures {
  return {
    tenants: provider.load === 'ready' ? provider.tenants.filter(({ isEnabled }) => isEnabled).length : null,
    connections: gateway.node === null ? null : gateway.node.connections,
  };
}

export function sentencesAboutStop(
  t: TextFunction,
  roles: readonly ServiceRole[],
  { tenants, connections }: StopFigures,
): string[] {
  const sentences: string[] = [];
  if (roles.includes('provider'))
    sentences.push(tenants === null ? t('stops.provider.unknown') : t('stops.provider', { count: tenants }));
  if (roles.includes('gateway')) {
    // With the provider on the same computer, the first sentence covers the tenants of this gateway.
    if (!roles.includes('provider')) sentences.push(t('stops.gateway'));
    if (connections !== null && connections > 0) sentences.push(t('stops.connections', { count: connections }));
  }
  return sentences;
}

export function useSentencesAboutStop(roles: readonly ServiceRole[]): string[] {
  const t = useText();
  const provider = useMirror((state) => state.provider);
  const gateway = useMirror((state) => state.gateway);
  return sentencesAboutStop(t, roles, stopFigures({ provider, gateway }));
}
