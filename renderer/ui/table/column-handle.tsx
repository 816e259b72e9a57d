// Owns the handle at the right edge of a column's head. Dragging or the arrow keys set the width; a double click resets it.
import { makeStyles, tokens } from '@fluentui/react-components';
import type { KeyboardEvent, PointerEvent, ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';

export const minColumnWidth = 60;
export const maxColumnWidth = 1200;
const keyStep = 16;

const useStyles = makeStyles({
  handle: {
    position: 'absolute',
    top: '6px',
    bottom: '6px',
    right: '-4px',
    width: '9px',
    cursor: 'col-resize',
    touchAction: 'none',
    zIndex: 1,
    '::after': {
      content: '""',
      position: 'absolute',
      top: 0,
      bottom: 0,
      left: '4px',
      width: '1px',
      backgroundColor: tokens.colorNeutralStroke2,
    },
    ':hover::after': { backgroundColor: tokens.colorBrandStroke1 },
    ':focus-visible': { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: '-1px' },
  },
});

interface ColumnHandleProps {
  readonly title: string;
  /** Undefined while the column has its default width. */
  readonly width: number | undefined;
  /** Null sets the default width. */
  readonly onWidth: (width: number | null) => void;
}

export function clampColumnWidth(width: number): number {
  return Math.round(Math.min(maxColumnWidth, Math.max(minColumnWidth, width)));
}

export function ColumnHandle({ title, width, onWidth }: ColumnHandleProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const widthOf = (handle: HTMLElement): number =>
    handle.parentElement?.getBoundingClientRect().width ?? minColumnWidth;
  const onPointerDown = (event: PointerEvent<HTMLDivElement>): void => {
    if (event.button !== 0) return;
    const handle = event.currentTarget;
    const startX = event.clientX;
    const startWidth = widthOf(handle);
    handle.setPointerCapture(event.pointerId);
    const move = (moved: globalThis.PointerEvent): void =>
      onWidth(clampColumnWidth(startWidth + moved.clientX - startX));
    handle.addEventListener('pointermove', move);
    const end = (): void => handle.removeEventListener('pointermove', move);
    handle.addEventListener('lostpointercapture', end, { once: true });
  };
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const step = event.key === 'ArrowRight' ? keyStep : event.key === 'ArrowLeft' ? -keyStep : 0;
    if (step !== 0) onWidth(clampColumnWidth(widthOf(event.currentTarget) + step));
    else if (event.key === 'Enter') onWidth(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      role="separator"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label={t('table.width', { column: title })}
      aria-valuemin={minColumnWidth}
      aria-valuemax={maxColumnWidth}
      aria-valuenow={width ?? minColumnWidth}
      aria-valuetext={width === undefined ? t('table.width.usual') : t('table.width.pixels', { width })}
      className={styles.handle}
      onPointerDown={onPointerDown}
      onDoubleClick={() => onWidth(null)}
      onKeyDown={onKeyDown}
    />
  );
}
