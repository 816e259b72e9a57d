// Owns starting and stopping a service: the buttons, and the questions before a step that stops the work of others or starts a second
// service.
import { Button } from '@fluentui/react-components';
import { useLayoutEffect, useRef } from 'react';
import type { ReactNode } from 'react';
import type { ServiceRole } from '../../../services/contracts/contract.ts';
import type { SupervisedService } from '../../../services/contracts/models/service.ts';
import { useText, type TextFunction } from '../../i18n/use-text.ts';
import { consoleClient } from '../../platform/clients.ts';
import { ErrorView } from '../error-view.tsx';
import { useCall } from '../use-call.ts';
import { ConfirmDialog } from './confirm-dialog.tsx';
import { useSentencesAboutStop } from './what-stops.ts';

export type ServiceQuestionKind = 'stop' | 'start-here';

/** "Provider service running", with who started it. */
export function serviceTitle(t: TextFunction, { role, state, origin, pid }: SupervisedService): string {
  const name = t(`role.${role}.service`);
  if (state === 'awaited') return `${name} · ${t('service.awaited')}`;
  const attached = origin === 'attached' && pid !== null ? ` · ${t('service.attached')}` : '';
  return `${name} ${t(`service.${state}`)}${attached}`;
}

export function originText(t: TextFunction, { origin, pid, state }: SupervisedService): string {
  if (state === 'awaited') return t('service.origin.awaited');
  if (pid === null) return '–';
  return t(origin === 'attached' ? 'service.origin.attached' : 'service.origin.started');
}

interface ServiceButtonsProps {
  readonly service: SupervisedService;
  /** Called for a step that must be confirmed; the caller shows `ServiceQuestion`. */
  readonly onQuestion: (kind: ServiceQuestionKind) => void;
  readonly isPrimary?: boolean;
}

export function ServiceButtons({ service, onQuestion, isPrimary = false }: ServiceButtonsProps): ReactNode {
  const t = useText();
  const call = useCall();
  const { role, state, canStartHere } = service;
  const name = t(`role.${role}.service`);
  return (
    <>
      {call.error !== null && <ErrorView error={call.error} />}
      {(state === 'stopped' || state === 'failed') && (
        <PassingButton
          label={t('service.start')}
          name={isPrimary ? undefined : t('service.start.named', { service: name })}
          isPrimary={isPrimary}
          isBusy={call.isBusy}
          onPress={() => void call.run(() => consoleClient.startService({ role }))}
        />
      )}
      {state === 'awaited' && canStartHere && (
        <PassingButton
          label={t('service.startHere')}
          isPrimary={isPrimary}
          isBusy={call.isBusy}
          onPress={() => onQuestion('start-here')}
        />
      )}
      {(state === 'running' || state === 'degraded') && (
        <PassingButton
          label={t('service.stop')}
          name={isPrimary ? undefined : t('service.stop.named', { service: name })}
          isPrimary={false}
          isBusy={call.isBusy}
          onPress={() => onQuestion('stop')}
        />
      )}
    </>
  );
}

interface PassingButtonProps {
  readonly label: string;
  readonly name?: string | undefined;
  readonly isPrimary: boolean;
  readonly isBusy: boolean;
  readonly onPress: () => void;
}

/**
 * The button disappears when the state changes. A popover around it then gets the focus, because Escape on the page behind the popover would
 * not close it.
 */
function PassingButton({ label, name, isPrimary, isBusy, onPress }: PassingButtonProps): ReactNode {
  const place = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    const own = place.current;
    return () => {
      if (own?.contains(document.activeElement) === true) own.closest<HTMLElement>('[role="dialog"]')?.focus();
    };
  }, []);
  return (
    <span ref={place}>
      <Button
        appearance={isPrimary ? 'primary' : 'secondary'}
        size={isPrimary ? 'medium' : 'small'}
        disabledFocusable={isBusy}
        aria-label={name}
        onClick={onPress}
      >
        {label}
      </Button>
    </span>
  );
}

interface ServiceQuestionProps {
  readonly role: ServiceRole;
  readonly kind: ServiceQuestionKind;
  readonly isAttached: boolean;
  readonly onClose: () => void;
}

export function ServiceQuestion({ role, kind, isAttached, onClose }: ServiceQuestionProps): ReactNode {
  const t = useText();
  const service = t(`role.${role}.service`);
  const sentences = useSentencesAboutStop([role]);
  if (kind === 'start-here') {
    return (
      <ConfirmDialog
        title={t('service.startHere.title', { service })}
        text={t('service.startHere.text', { service })}
        confirmLabel={t('service.startHere')}
        onConfirm={() => consoleClient.startService({ role })}
        onClose={onClose}
      />
    );
  }
  const attached = isAttached ? [t('service.stop.attached')] : [];
  return (
    <ConfirmDialog
      title={t('service.stop.title', { service })}
      text={[...sentences, t('service.stop.sessions'), ...attached].join('\n\n')}
      confirmLabel={t('service.stop')}
      onConfirm={() => consoleClient.stopService({ role })}
      onClose={onClose}
    />
  );
}
