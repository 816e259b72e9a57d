// Owns the messages between a paused session and the provider. Must not run an attempt or decide anything (tenant-machine.ts).
import type { SessionSide } from '../../contracts/models/session.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { isResumable } from '../../session/attempt-error.ts';
import { askProvider, parseProviderNotification } from '../../wire/control-calls.ts';
import type { ProviderLink } from '../providers/provider-link.ts';

const tellTimeoutMs = 15_000;

export type PauseAnswer =
  | { readonly kind: 'paused'; readonly keptForMs: number }
  /** The provider does not know of the pause. The provider keeps the session in the same way as after a lost connection. */
  | { readonly kind: 'untold' }
  /** The restore point was already committed. */
  | { readonly kind: 'committed'; readonly pointId: string; readonly storedBytes: number };

/** @throws the error that ended the session at the provider in the meantime; call.canceled when the signal fires */
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
    const failure = toFarkeepError(error);
    // An older provider does not know the request to pause. Such a provider treats the tenant as disconnected. The tenant may resume the
    // session in the same way as after a pause.
    if (!isResumable(failure.code) && failure.code !== 'call.unknown') throw failure;
    logger.info('A pause could not be reported to the provider', { sessionId, reason: failure.message });
    return { kind: 'untold' };
  }
}

export interface PausedWatcher {
  /** The session has ended at the provider. */
  readonly onEnded: (error: FarkeepError) => void;
  /** A person at the provider asks to resume the session. */
  readonly onResumeWish: () => void;
  readonly onLost: () => void;
}

/**
 * The connection stays open during a pause. So the provider can end the session, and can ask to resume it if the provider asked for the pause.
 */
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
