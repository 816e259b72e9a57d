// Owns how a session stands still because somebody wants it to: the provider is told, then the session waits for the wish to go on, for the
// end of the provider's patience, or for the provider's word. Runs no attempt and decides nothing about the session's end.
import type { SessionSide } from '../../contracts/models/session.ts';
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { isResumable, pausedTooLong } from '../../session/attempt-error.ts';
import type { LiveSession } from '../../session/live-session.ts';
import { askProvider, parseProviderNotification } from '../../wire/control-calls.ts';
import type { ProviderLink } from '../providers/provider-link.ts';

const tellTimeoutMs = 15_000;

export interface PauseOptions {
  readonly live: LiveSession;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the session, or the service. */
  readonly signal: AbortSignal;
}

export type PauseAnswer =
  | { readonly kind: 'paused'; readonly untilMs: number }
  /** It was over already. */
  | { readonly kind: 'committed'; readonly pointId: string; readonly storedBytes: number };

/**
 * @param otherwiseUntilMs how long the provider keeps the session as far as is known here, when it cannot be asked
 * @throws what has ended the session at the provider meanwhile
 */
export async function tellPause(
  { live, clock, logger, signal }: PauseOptions,
  { link, by, otherwiseUntilMs }: { link: ProviderLink | undefined; by: SessionSide; otherwiseUntilMs: number },
): Promise<PauseAnswer> {
  if (link === undefined || link.channel.peer.isClosed) return { kind: 'paused', untilMs: otherwiseUntilMs };
  try {
    const { committed, keptForMs } = await askProvider(
      link.channel.peer,
      'session.pause',
      { sessionId: live.id, by },
      { signal, timeoutMs: tellTimeoutMs },
    );
    return committed === null
      ? { kind: 'paused', untilMs: clock.now() + keptForMs }
      : { kind: 'committed', ...committed };
  } catch (error) {
    const known = toFarkeepError(error);
    // An older provider does not know the word: for it the tenant has gone and may come back, which is as good.
    if (!isResumable(known.code) && known.code !== 'call.unknown') throw known;
    logger.info('The provider could not be told of a pause', { sessionId: live.id, reason: known.message });
    return { kind: 'paused', untilMs: otherwiseUntilMs };
  }
}

/**
 * Waits until the session goes on. The connection stays open meanwhile, so that the provider can end or resume what it has paused; without
 * one (after a restart, or when it broke) only this side can.
 *
 * @throws session.resume-expired when nobody resumed in time, what ended the session at the provider, or an AbortError of the signal
 */
export async function stayPaused(
  { live, clock, signal }: PauseOptions,
  { link, untilMs, resumed }: { link: ProviderLink | undefined; untilMs: number; resumed: Promise<void> },
): Promise<void> {
  const told = Promise.withResolvers<void>();
  link?.channel.peer.onNotify((name, payload) => {
    const notification = parseProviderNotification(name, payload);
    if (notification === undefined) return;
    if (notification.name === 'certificate.announced' || notification.name === 'certificate.withdrawn') {
      link.onCertificateNews?.(notification);
      return;
    }
    if (notification.name === 'goodbye' || notification.payload.sessionId !== live.id) return;
    if (notification.name === 'session.event' && notification.payload.ended?.isFinal === true) {
      told.reject(FarkeepError.fromInfo(notification.payload.ended.error));
    }
    // What the tenant has paused is not the provider's to resume.
    const isWish = notification.name === 'session.wish' && notification.payload.wish === 'resume';
    if (isWish && live.pausedBy === 'provider') told.resolve();
  });
  const enough = new AbortController();
  const expired = clock
    .sleep(Math.max(0, untilMs - clock.now()), AbortSignal.any([signal, enough.signal]))
    .then(() => Promise.reject(pausedTooLong()));
  try {
    await Promise.race([resumed, told.promise, expired]);
  } finally {
    // The abort ends the sleep with an error; nobody looks at it any more.
    expired.catch(() => undefined);
    enough.abort();
  }
}
