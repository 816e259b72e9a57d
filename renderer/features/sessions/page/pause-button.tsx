// Owns the button that pauses a session or resumes a paused one. A disabled button gives the reason.
import { Button, Tooltip } from '@fluentui/react-components';
import { Pause20Regular, Play20Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { SessionDetail } from '../../../../services/contracts/models/session.ts';
import { useText } from '../../../i18n/use-text.ts';
import { sessionClients } from '../../../platform/clients.ts';
import type { SessionSide } from '../../../platform/clients.ts';
import type { CallState } from '../../../ui/use-call.ts';
import { whyNotPause } from './why-not-pause.ts';

const busyLabels = { pause: 'sessions.pausing', resume: 'sessions.resuming' } as const;

interface PauseButtonProps {
  readonly className: string;
  readonly side: SessionSide;
  readonly detail: SessionDetail;
  readonly call: CallState;
}

export function PauseButton({ className, side, detail, call }: PauseButtonProps): ReactNode {
  const t = useText();
  const isPaused = detail.state === 'paused';
  // The answer comes when both sides have paused, a moment after the request.
  const [asked, setAsked] = useState<'pause' | 'resume' | null>(null);
  const label = asked === null ? (isPaused ? 'sessions.resume' : 'sessions.pause') : busyLabels[asked];
  const isOfOther = isPaused && side === 'provider' && detail.pausedBy !== 'provider';
  const whyNot = isPaused ? (isOfOther ? 'session.resume.ofTenant' : null) : whyNotPause(detail);
  const run = (): void =>
    void call.run(async () => {
      const input = { sessionId: detail.id };
      setAsked(isPaused ? 'resume' : 'pause');
      try {
        await (isPaused ? sessionClients[side].resume(input) : sessionClients[side].pause(input));
      } finally {
        setAsked(null);
      }
    });
  return (
    <Tooltip
      relationship="description"
      content={t(whyNot ?? (isPaused ? 'session.resume.help' : 'session.pause.help'))}
    >
      <Button
        className={className}
        icon={isPaused ? <Play20Regular /> : <Pause20Regular />}
        disabledFocusable={whyNot !== null || call.isBusy}
        onClick={run}
      >
        {t(label)}
      </Button>
    </Tooltip>
  );
}
