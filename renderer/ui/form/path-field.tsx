// Owns a field for a path: typed, chosen in the system's dialog, or dropped on the field.
import { Button, Field, Input, makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import { useState } from 'react';
import type { DragEvent, ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { getBridge } from '../../platform/bridge.ts';
import { toErrorInfo } from '../../platform/error-info.ts';
import { showToast } from '../toast-store.ts';

const useStyles = makeStyles({
  row: { display: 'flex', gap: '8px' },
  input: { flexGrow: 1, minWidth: 0 },
  dropping: {
    outline: `2px dashed ${tokens.colorBrandStroke1}`,
    outlineOffset: '3px',
    borderRadius: tokens.borderRadiusMedium,
  },
});

interface PathFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (path: string) => void;
  /** Opens the native dialog. Null if the user canceled it. */
  readonly browse: () => Promise<{ readonly path: string | null }>;
  readonly error?: string | undefined;
  readonly hint?: string;
  readonly isRequired?: boolean;
}

export function PathField({
  label,
  value,
  onChange,
  browse,
  error,
  hint,
  isRequired = false,
}: PathFieldProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [isDropping, setDropping] = useState(false);
  const choose = async (): Promise<void> => {
    try {
      const { path } = await browse();
      if (path !== null) onChange(path);
    } catch (thrown) {
      showToast('error', toErrorInfo(thrown).message);
    }
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setDropping(false);
    const file = event.dataTransfer.files[0];
    const path = file === undefined ? '' : getBridge().pathOfDroppedFile(file);
    if (path !== '') onChange(path);
  };
  return (
    <div
      className={mergeClasses(isDropping && styles.dropping)}
      onDragOver={(event) => {
        event.preventDefault();
        setDropping(true);
      }}
      onDragLeave={() => setDropping(false)}
      onDrop={drop}
    >
      <Field label={label} required={isRequired} validationMessage={error ?? null} hint={hint ?? null}>
        {(field) => (
          <div className={styles.row}>
            <Input
              {...field}
              className={styles.input}
              value={value}
              spellCheck={false}
              onChange={(_event, data) => onChange(data.value)}
            />
            <Button onClick={() => void choose()}>{t('word.browse')}</Button>
          </div>
        )}
      </Field>
    </div>
  );
}
