// Owns how a session's state looks on every page.
import type { ReactNode } from 'react';
import type { SessionState } from '../../../services/contracts/models/session.ts';
import { useText } from '../../i18n/use-text.ts';
import { StatusBadge } from '../status-badge.tsx';
import type { Tone } from '../status-badge.tsx';

const tones: Readonly<Record<SessionState, Tone>> = {
  pending: 'neutral',
  connecting: 'info',
  'key-exchange': 'info',
  transferring: 'info',
  finalizing: 'info',
  'waiting-to-resume': 'warning',
  paused: 'paused',
  succeeded: 'success',
  warning: 'warning',
  failed: 'danger',
  canceled: 'neutral',
};

interface SessionStateBadgeProps {
  readonly state: SessionState;
  readonly hasSecurityWarning?: boolean;
  readonly waitsForAnswer?: boolean | undefined;
  readonly isPill?: boolean;
}

export function SessionStateBadge({
  state,
  hasSecurityWarning = false,
  waitsForAnswer = false,
  isPill = false,
}: SessionStateBadgeProps): ReactNode {
  const t = useText();
  return (
    <StatusBadge tone={hasSecurityWarning ? 'security' : tones[state]} isPill={isPill}>
      {t(waitsForAnswer ? 'session.state.waiting-for-answer' : `session.state.${state}`)}
    </StatusBadge>
  );
}
