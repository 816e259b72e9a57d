// Owns the frame of every wizard: title, steps at the left, content, Previous, Next, Finish, Cancel; Enter is Next, Esc asks.
import { Button, Dialog, DialogSurface, ProgressBar, Spinner } from '@fluentui/react-components';
import { useEffect, useId, useRef, useState } from 'react';
import type { KeyboardEvent, ReactNode, SyntheticEvent } from 'react';
import type { ErrorInfo } from '../../../services/contracts/errors.ts';
import { useText } from '../../i18n/use-text.ts';
import type { HelpPage } from '../../platform/help-pages.ts';
import { formatPercent } from '../../platform/format.ts';
import { ConfirmDialog } from '../dialog/confirm-dialog.tsx';
import { HelpButton } from '../help/help-button.tsx';
import { errorSentences } from '../error-sentences.ts';
import { ErrorView } from '../error-view.tsx';
import { useCall } from '../use-call.ts';
import { useReturnFocus } from '../dialog/use-return-focus.ts';
import { useDialogFocus } from '../dialog/use-dialog-focus.ts';
import { useCorrections } from './use-corrections.ts';
import { nextStep, previousStep } from './wizard-steps.ts';
import { WizardStepList } from './wizard-step-list.tsx';
import { useWizardStyles } from './wizard-styles.ts';

export type FieldErrors = Readonly<Record<string, string | undefined>>;

export interface WizardStep {
  readonly id: string;
  readonly title: string;
  /** One sentence below the title. */
  readonly intro?: string;
  /** Pages with fields show errors beside the fields, by field name. The errors of other calls are shown above the content. */
  readonly content: ReactNode | ((fieldErrors: FieldErrors) => ReactNode);
  /** Names of the fields of this page. The input of the command has the same names. */
  readonly fields?: readonly string[];
  /** Returns the field of an error if the service named no field. */
  readonly fieldOf?: (error: ErrorInfo) => string | undefined;
  /**
   * Returns false to keep the current step. The step then shows the errors beside its fields. Called again after each change of the input
   * until all fields are right, so that an error disappears when its field is corrected. Must do nothing but set the errors, once.
   */
  readonly validate?: () => boolean;
  /** Runs before the next page opens (or before the wizard closes). An error keeps the current step. */
  readonly work?: (signal: AbortSignal) => Promise<void>;
  readonly workLabel?: string;
  /** Progress of the work from 0 to 1, when the progress is known. */
  readonly workShare?: number | null;
  /** False after the work has changed something: the user can neither go back nor cancel. */
  readonly canGoBack?: boolean;
  readonly isNextDisabled?: boolean;
}

interface WizardProps {
  readonly title: string;
  /** The help page of F1 and of the button "?". */
  readonly help: HelpPage;
  readonly steps: readonly WizardStep[];
  /** Whether closing would discard input. */
  readonly isDirty: boolean;
  readonly onClose: () => void;
  /** At the left, beside the buttons, such as "Open invitation file...". */
  readonly footerStart?: ReactNode;
  /** Opens a step directly, such as the summary after an invitation was opened. */
  readonly jumpTo?: { readonly stepId: string; readonly key: number } | null;
}

export function Wizard({ title, help, steps, isDirty, onClose, footerStart, jumpTo = null }: WizardProps): ReactNode {
  const t = useText();
  const styles = useWizardStyles();
  const titleId = useId();
  const stepTitleId = useId();
  const [currentId, setCurrentId] = useState(steps[0]?.id ?? '');
  const [isAsking, setAsking] = useState(false);
  const call = useCall();
  useReturnFocus();
  // The work of a step can change the steps after it.
  const latestSteps = useRef(steps);
  useEffect(() => {
    latestSteps.current = steps;
  });
  const [doneJump, setDoneJump] = useState(0);
  if (jumpTo !== null && jumpTo.key !== doneJump) {
    setDoneJump(jumpTo.key);
    setCurrentId(jumpTo.stepId);
  }
  const content = useRef<HTMLDivElement>(null);
  useDialogFocus(content);
  useEffect(() => {
    focusFirstField(content.current);
  }, [currentId]);

  const step = steps.find(({ id }) => id === currentId) ?? steps[0];
  const field = call.error === null ? undefined : (call.error.field ?? step?.fieldOf?.(call.error));
  const isFieldHere = field !== undefined && step?.fields?.includes(field) === true;
  const noteRefused = useCorrections({
    page: content,
    step,
    isFieldRefused: isFieldHere,
    onCorrected: call.clearError,
  });
  if (step === undefined) return null;
  const place = { stepIds: steps.map(({ id }) => id), currentId: step.id };
  const isLast = nextStep(place) === null;
  const canGoBack = step.canGoBack ?? true;
  const workShare = step.workShare ?? null;

  const fieldErrors: FieldErrors = isFieldHere && call.error !== null ? { [field]: errorSentences(call.error) } : {};
  const pageError = isFieldHere ? null : call.error;

  const leave = (): void => {
    if (call.isBusy) call.cancel();
    else if (isDirty && canGoBack) setAsking(true);
    else onClose();
  };
  const advance = async (): Promise<void> => {
    if (call.isBusy || step.isNextDisabled === true) return;
    const isValid = step.validate?.() !== false;
    if (!isValid) noteRefused(step.id);
    const isDone = isValid && (step.work === undefined || (await call.run(step.work)));
    if (!isDone) {
      setTimeout(() => focusFieldAtFault(content.current));
      return;
    }
    if (isLast) {
      onClose();
      return;
    }
    call.clearError();
    // Waits for a tick, so that the steps contain the state that the work has set.
    setTimeout(() => {
      const next = nextStep({ stepIds: latestSteps.current.map(({ id }) => id), currentId: step.id });
      if (next !== null) setCurrentId(next);
    });
  };
  const goBack = (): void => {
    const previous = previousStep(place);
    if (previous === null || call.isBusy) return;
    call.clearError();
    setCurrentId(previous);
  };
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    void advance();
  };

  /** Browsers submit on Enter only in fields. On a closed dropdown Enter would open the list. An open list handles its own keys. */
  const submitFromList = (event: KeyboardEvent<HTMLFormElement>): void => {
    const { key, target, defaultPrevented, currentTarget } = event;
    const isList = target instanceof Element && target.matches('[role="grid"], [role="tree"], select');
    if (key !== 'Enter' || !isList || defaultPrevented) return;
    event.preventDefault();
    currentTarget.requestSubmit();
  };

  return (
    <Dialog
      open
      onOpenChange={(_event, { type }) => {
        if (type === 'escapeKeyDown') leave();
      }}
    >
      <DialogSurface className={styles.surface} aria-labelledby={titleId} data-help={help}>
        <form className={styles.form} onSubmit={submit} onKeyDown={submitFromList} noValidate>
          <div className={styles.header}>
            <h2 id={titleId} className={styles.title}>
              {title}
            </h2>
          </div>
          <div className={styles.body}>
            <WizardStepList steps={steps} currentId={step.id} />
            <div className={styles.page} ref={content} role="group" aria-labelledby={stepTitleId}>
              <h3 id={stepTitleId} className={styles.stepTitle}>
                {step.title}
              </h3>
              {step.intro !== undefined && <p className={styles.intro}>{step.intro}</p>}
              {pageError !== null && (
                <div className={styles.error}>
                  <ErrorView error={pageError} />
                </div>
              )}
              {/* An error that the service reported beside a field goes away when the input changes. */}
              <div className={styles.content} onChange={() => isFieldHere && call.clearError()}>
                {typeof step.content === 'function' ? step.content(fieldErrors) : step.content}
              </div>
              <div className={styles.progress} aria-live="polite">
                {call.isBusy && step.workLabel !== undefined && (
                  <>
                    <span className={styles.progressText}>
                      {/* Assistive technology uses the bar below. */}
                      <span aria-hidden>
                        <Spinner size="extra-tiny" />
                      </span>
                      {step.workLabel}
                      {/* Hidden from assistive technology, because a screen reader would read every step. The bar reports the progress. */}
                      {workShare !== null && <span aria-hidden>{formatPercent(workShare, 1)}</span>}
                      <Button size="small" appearance="subtle" onClick={call.cancel}>
                        {t('wizard.cancelWork')}
                      </Button>
                    </span>
                    <ProgressBar aria-label={step.workLabel} {...(workShare === null ? {} : { value: workShare })} />
                  </>
                )}
              </div>
            </div>
          </div>
          <div className={styles.footer}>
            <div className={styles.footerStart}>{footerStart}</div>
            {/* During the work the buttons keep the focus: a disabled button would not pass on the Esc that cancels. */}
            <Button
              type="button"
              disabled={previousStep(place) === null || !canGoBack}
              disabledFocusable={call.isBusy}
              onClick={goBack}
            >
              {t('wizard.previous')}
            </Button>
            <Button
              type={isLast ? 'button' : 'submit'}
              appearance={isLast ? 'secondary' : 'primary'}
              disabled={isLast || step.isNextDisabled === true}
              disabledFocusable={call.isBusy}
            >
              {t('wizard.next')}
            </Button>
            <Button
              type={isLast ? 'submit' : 'button'}
              appearance={isLast ? 'primary' : 'secondary'}
              disabled={!isLast || step.isNextDisabled === true}
              disabledFocusable={call.isBusy}
            >
              {t('wizard.finish')}
            </Button>
            <Button type="button" disabled={!canGoBack} onClick={leave}>
              {t('word.cancel')}
            </Button>
          </div>
        </form>
        <HelpButton page={help} />
        {isAsking && (
          <ConfirmDialog
            title={t('wizard.discard.title')}
            text={t('wizard.discard.text')}
            confirmLabel={t('wizard.discard.leave')}
            cancelLabel={t('wizard.discard.stay')}
            onConfirm={() => {
              onClose();
              return Promise.resolve();
            }}
            onClose={() => setAsking(false)}
          />
        )}
      </DialogSurface>
    </Dialog>
  );
}

/** Runs after the errors are drawn. */
function focusFieldAtFault(page: HTMLElement | null): void {
  page?.querySelector<HTMLElement>('input[aria-invalid="true"]')?.focus();
}

/**
 * Selects the checked one of several radio buttons. Skips fields below a long text (data-focus="later"), because the text would scroll
 * away. A page whose fields are not loaded yet has a place for the focus (data-first-focus). On a page without fields Next or Finish keeps
 * the focus.
 */
function focusFirstField(page: HTMLElement | null): void {
  const first = page?.querySelector<HTMLElement>(
    'input:not([disabled]):not([readonly], [data-focus="later"] *), [role="grid"], textarea, select, [data-first-focus]',
  );
  const chosen = first?.matches('input[type="radio"]')
    ? first.closest('[role="radiogroup"]')?.querySelector<HTMLElement>('input[type="radio"]:checked:not([disabled])')
    : undefined;
  const submit = page?.closest('form')?.querySelector<HTMLElement>('button[type="submit"]:not([disabled])');
  (chosen ?? first ?? submit)?.focus();
}
