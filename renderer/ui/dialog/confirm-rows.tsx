// Owns the question before several rows of a list are changed. It names how many rows and which ones.
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { callEach, firstNames } from '../table/bulk.ts';
import { ConfirmDialog } from './confirm-dialog.tsx';

export interface RowsQuestion {
  readonly title: string;
  readonly text: string;
  readonly confirmLabel: string;
  readonly cancelLabel?: string;
}

interface ConfirmRowsProps<T> {
  readonly rows: readonly T[];
  readonly nameOf: (row: T) => string;
  readonly ask: (rows: readonly T[]) => RowsQuestion;
  readonly onConfirm: (row: T) => Promise<unknown>;
  readonly onClose: () => void;
}

export function ConfirmRows<T>({ rows, nameOf, ask, onConfirm, onClose }: ConfirmRowsProps<T>): ReactNode {
  const t = useText();
  // After a failure, only the rows that failed are left.
  const [left, setLeft] = useState(rows);
  const { text, ...question } = ask(left);
  const names = left.length === 1 ? '' : firstNames(left.map(nameOf), t);
  return (
    <ConfirmDialog
      {...question}
      text={[names, text].filter(Boolean).join('\n\n')}
      onConfirm={() => callEach(left, onConfirm, setLeft)}
      onClose={onClose}
    />
  );
}
