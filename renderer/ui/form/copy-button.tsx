// Owns copying text, with a confirmation for the eye and for screen readers. Uses the console's clipboard, not the browser's.
import { Button, Tooltip } from '@fluentui/react-components';
import type { ButtonProps } from '@fluentui/react-components';
import { Checkmark16Regular, Copy16Regular } from '@fluentui/react-icons';
import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { consoleClient } from '../../platform/clients.ts';
import { toErrorInfo } from '../../platform/error-info.ts';
import { showToast } from '../toast-store.ts';

interface CopyButtonProps {
  readonly text: string | (() => string);
  /** The label of the button, and its accessible name if it shows only an icon. */
  readonly label: string;
  readonly isIconOnly?: boolean;
  readonly size?: NonNullable<ButtonProps['size']>;
  readonly appearance?: NonNullable<ButtonProps['appearance']>;
}

const confirmedMs = 2500;

export function CopyButton({
  text,
  label,
  isIconOnly = false,
  size = 'medium',
  appearance,
}: CopyButtonProps): ReactNode {
  const t = useText();
  const [isCopied, setCopied] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);

  const copy = async (): Promise<void> => {
    try {
      await consoleClient.copyText({ text: typeof text === 'function' ? text() : text });
      setCopied(true);
      clearTimeout(timer.current);
      timer.current = setTimeout(() => setCopied(false), confirmedMs);
    } catch (error) {
      showToast('error', toErrorInfo(error).message);
    }
  };
  const icon = isCopied ? <Checkmark16Regular /> : <Copy16Regular />;
  const common = {
    icon,
    size,
    onClick: () => void copy(),
    appearance: appearance ?? (isIconOnly ? 'subtle' : 'secondary'),
  } as const;
  const status = (
    <span role="status" className="visually-hidden">
      {isCopied ? t('clipboard.copied') : ''}
    </span>
  );
  if (isIconOnly) {
    return (
      <>
        <Tooltip content={isCopied ? t('word.copied') : label} relationship="label">
          <Button {...common} />
        </Tooltip>
        {status}
      </>
    );
  }
  return (
    <>
      {/* The accessible name stays while the icon confirms, because people and tests find the button by it. */}
      <Button {...common}>{label}</Button>
      {status}
    </>
  );
}
