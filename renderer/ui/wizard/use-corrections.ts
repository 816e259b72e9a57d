// Owns that an error beside a field disappears when the field is corrected. A refused page is checked again after each change of its input,
// whatever made the change: typing, a system dialog, or a tick in a list.
import { useEffect, useRef } from 'react';
import type { RefObject } from 'react';

interface CorrectionsOptions {
  readonly page: RefObject<HTMLElement | null>;
  /** A new object whenever the input of the wizard has changed. `validate` shows the errors that it finds, and removes the others. */
  readonly step: { readonly id: string; readonly validate?: () => boolean } | undefined;
  /** Whether the service has refused a field of this page. */
  readonly isFieldRefused: boolean;
  /** The refused field has another value now. */
  readonly onCorrected: () => void;
}

/** @returns the function to call after the check of a page has failed */
export function useCorrections(options: CorrectionsOptions): (stepId: string) => void {
  const { page, step, isFieldRefused, onCorrected } = options;
  const refusedId = useRef<string | null>(null);
  // The check sets the errors, which draws the wizard again. This drawing must not lead to another check.
  const isDrawnByCheck = useRef(false);
  const refusedValue = useRef<string | null>(null);
  useEffect(() => {
    if (step === undefined || refusedId.current !== step.id) return;
    if (isDrawnByCheck.current) {
      isDrawnByCheck.current = false;
      return;
    }
    isDrawnByCheck.current = true;
    // From then on the fields stay quiet until Next.
    if (step.validate?.() !== false) refusedId.current = null;
  }, [step]);
  useEffect(() => {
    if (!isFieldRefused) {
      refusedValue.current = null;
      return;
    }
    const value = valueAtFault(page.current);
    if (refusedValue.current === null) refusedValue.current = value;
    else if (refusedValue.current !== value) onCorrected();
  });
  return (refused) => {
    refusedId.current = refused;
    isDrawnByCheck.current = true;
  };
}

/** The content of the fields at fault. If the page marks none, the content of all its fields. */
function valueAtFault(page: HTMLElement | null): string {
  const fields = [...(page?.querySelectorAll<HTMLInputElement>('input, select, textarea') ?? [])];
  const faulty = fields.filter((field) => field.getAttribute('aria-invalid') === 'true');
  return (faulty.length > 0 ? faulty : fields).map(({ value }) => value).join('\n');
}
