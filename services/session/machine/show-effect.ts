// Owns those effects of the two session state machines (tenant and provider) that only change what people see of a session. Applies them to
// the session's record.
import type { SessionSide } from '../../contracts/models/session.ts';
import type { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { LiveSession } from '../live-session.ts';
import type { FinalState, Note, RunningKind, SecurityWarning } from './machine-types.ts';

export type ShowEffect =
  | Note
  | SecurityWarning
  | { readonly type: 'show'; readonly state: 'connecting' | RunningKind }
  /** @property nextAttemptAtMs null: there is no automatic next attempt */
  | { readonly type: 'show-waiting'; readonly nextAttemptAtMs: number | null; readonly untilMs: number }
  | { readonly type: 'show-paused'; readonly by: SessionSide; readonly untilMs: number }
  | { readonly type: 'start-attempt'; readonly attempt: number }
  | { readonly type: 'finish'; readonly outcome: FinalState; readonly error: FarkeepError | null };

export function showEffect(live: LiveSession, effect: ShowEffect): void {
  switch (effect.type) {
    case 'note':
      live.act(effect.level, effect.event);
      return;
    case 'raise-security-warning':
      live.raiseSecurityWarning(effect.event);
      return;
    case 'show':
      live.setState(effect.state);
      return;
    case 'show-waiting':
      live.waitToResume(effect.nextAttemptAtMs, effect.untilMs);
      return;
    case 'show-paused':
      live.pause(effect.by, effect.untilMs);
      return;
    case 'start-attempt':
      live.startAttempt(effect.attempt);
      return;
    case 'finish':
      live.finish(effect.outcome, effect.error);
      return;
  }
}
