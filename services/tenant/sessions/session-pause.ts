// Owns what a paused session says to the provider and hears from it. Runs no attempt, and decides nothing (tenant-machine.ts).
import type { SessionSide } from '../../contracts/models/session.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { isResumable } from '../../session/attempt-error.ts';
import { askProvider, parseProviderNotification } from '../../wire/control-calls.ts';
import type { ProviderLink } from '../providers/provider-link.ts';

const tellTimeoutMs = 15_000;

export type PauseAnswer =
  | { readonly kind: 'paused'; readonly keptForMs: number }
  /** The provider does not know of the pause, and keeps the session like one whose connection was lost. */
  | { readonly kind: 'untold' }
  /** It was over already. */
  | { readonly kind: 'committed'; readonly pointId: string; readonly storedBytes: number };

/** @throws what has ended the session at the provider meanwhile; call.canceled when the signal fires */
export async function tellPause(
  link: ProviderLink | undefined,
  {
    sessionId,
    by,
    signal,
    logger,
  }: { readonly sessionId: string; readonly by: SessionSide; readonly signal: AbortSignal; readonly logger: Logger },
): Promise<PauseAnswer> {
  if (link === undefined || link.channel.peer.isClosed) return { kind: 'untold' };
  try {
    const { committed, keptForMs } = await askProvider(
      link.channel.peer,
      'session.pause',
      { sessionId, by },
      { signal, timeoutMs: tellTimeoutMs },
    );
    return committed === null ? { kind: 'paused', keptForMs } : { kind: 'committed', ...committed };
  } catch (error) {
    const known = toFarkeepError(error);
    // An older provider does not know the request: for it the tenant has gone and may come back, which is as good.
    if (!isResumable(known.code) && known.code !== 'call.unknown') throw known;
    logger.info('The provider could not be told of a pause', { sessionId, reason: known.message });
    return { kind: 'untold' };
  }
}

export interface PausedWatcher {
  /** The session has ended at the provider. */
  readonly onEnded: (error: FarkeepError) => void;
  /** A person at the provider wants it to go on. */
  readonly onResumeWish: () => void;
  readonly onLost: () => void;
}

/** The connection stays open in a pause, so that the provider can end or resume what it has paused. */
export function listenWhilePaused(link: ProviderLink, sessionId: string, watcher: PausedWatcher): void {
  const { peer } = link.channel;
  peer.onClose(() => watcher.onLost());
  peer.onNotify((name, payload) => {
    const notification = parseProviderNotification(name, payload);
    if (notification === undefined) return;
    if (notification.name === 'certificate.announced' || notification.name === 'certificate.withdrawn') {
      link.onCertificateNews?.(notification);
      return;
    }
    if (notification.name === 'goodbye' || notification.payload.sessionId !== sessionId) return;
    if (notification.name === 'session.event' && notification.payload.ended?.isFinal === true) {
      watcher.onEnded(FarkeepError.fromInfo(notification.payload.ended.error));
    }
    if (notification.name === 'session.wish' && notification.payload.wish === 'resume') watcher.onResumeWish();
  });
}
