// Owns a small button that opens a popover beside it.
import { Button, Popover, PopoverSurface, PopoverTrigger } from '@fluentui/react-components';
import type { ReactElement, ReactNode } from 'react';

interface PopoverButtonProps {
  readonly icon: ReactElement;
  readonly label: string;
  /** The accessible name of the popover. The default is the button's label. */
  readonly surfaceLabel?: string;
  /** In pixels. */
  readonly width: number;
  readonly children: ReactNode;
}

export function PopoverButton({ icon, label, surfaceLabel = label, width, children }: PopoverButtonProps): ReactNode {
  return (
    <Popover positioning="after-top" trapFocus withArrow>
      <PopoverTrigger disableButtonEnhancement>
        <Button size="small" icon={icon}>
          {label}
        </Button>
      </PopoverTrigger>
      <PopoverSurface style={{ width }} aria-label={surfaceLabel} tabIndex={-1}>
        {children}
      </PopoverSurface>
    </Popover>
  );
}
