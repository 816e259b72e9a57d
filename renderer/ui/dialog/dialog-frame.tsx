// Owns the modal dialog with title, content and buttons. A click outside does not close it, because input would be lost.
import { Dialog, DialogSurface, makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import { useEffect, useId, useRef } from 'react';
import type { ReactNode } from 'react';
import type { HelpPage } from '../../platform/help-pages.ts';
import { HelpButton } from '../help/help-button.tsx';
import { useIsScrolling } from '../table/use-is-scrolling.ts';
import { useReturnFocus } from './use-return-focus.ts';
import { useDialogFocus } from './use-dialog-focus.ts';

const useStyles = makeStyles({
  surface: {
    padding: 0,
    width: '600px',
    maxWidth: 'calc(100vw - 48px)',
    maxHeight: 'calc(100vh - 48px)',
    display: 'flex',
    flexDirection: 'column',
    overflow: 'hidden',
  },
  wide: { width: '960px' },
  narrow: { width: '480px' },
  title: {
    margin: 0,
    // At the right is the button of the help.
    padding: '20px 56px 0 24px',
    fontSize: tokens.fontSizeBase500,
    lineHeight: tokens.lineHeightBase500,
    fontWeight: tokens.fontWeightSemibold,
    overflowWrap: 'anywhere',
  },
  content: {
    padding: '10px 24px 20px 24px',
    overflowY: 'auto',
    flexGrow: 1,
    minHeight: 0,
    ':focus-visible': { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: '-2px' },
  },
  pinned: { padding: '12px 24px', borderTop: `1px solid ${tokens.colorNeutralStroke2}`, flexShrink: 0 },
  footer: {
    display: 'flex',
    justifyContent: 'flex-end',
    alignItems: 'center',
    gap: '8px',
    padding: '14px 24px',
    borderTop: `1px solid ${tokens.colorNeutralStroke2}`,
    backgroundColor: tokens.colorNeutralBackground2,
  },
});

interface DialogFrameProps {
  readonly title: string;
  readonly children: ReactNode;
  /** Shown between content and buttons. This part stays visible while the content scrolls. */
  readonly pinned?: ReactNode;
  readonly footer: ReactNode;
  /** Called for Esc. */
  readonly onDismiss: () => void;
  readonly width?: 'narrow' | 'normal' | 'wide';
  readonly isAlert?: boolean;
  /** The help page of F1 and of the button "?". Left out for small questions above another dialog. */
  readonly help?: HelpPage;
  /** Its end changes nothing below it, so the focus returns to exactly the element that had it. */
  readonly isOnlyShown?: boolean;
}

export function DialogFrame({
  title,
  children,
  pinned,
  footer,
  onDismiss,
  width = 'normal',
  isAlert = false,
  help,
  isOnlyShown = false,
}: DialogFrameProps): ReactNode {
  const styles = useStyles();
  const titleId = useId();
  useReturnFocus(isOnlyShown);
  const footerElement = useRef<HTMLDivElement>(null);
  const contentElement = useRef<HTMLDivElement>(null);
  const isScrolling = useIsScrolling(contentElement);
  useDialogFocus(footerElement);
  useEffect(() => {
    // Fluent focuses the first control. Here the safe button requests the focus.
    footerElement.current?.querySelector<HTMLElement>('[data-initial-focus]')?.focus({ preventScroll: true });
  }, []);
  return (
    <Dialog
      open
      modalType={isAlert ? 'alert' : 'modal'}
      onOpenChange={(_event, { type }) => {
        if (type === 'escapeKeyDown') onDismiss();
      }}
    >
      <DialogSurface
        className={mergeClasses(styles.surface, width === 'wide' && styles.wide, width === 'narrow' && styles.narrow)}
        aria-labelledby={titleId}
        data-help={help}
        // The backdrop is dark above another dialog too. Fluent would not darken the lower dialog, although it takes no clicks.
        backdrop={{ appearance: 'dimmed' }}
        onKeyDown={(event) => {
          // Fluent ignores Esc in alert dialogs. Here Esc always means the safe button.
          if (isAlert && event.key === 'Escape' && !event.defaultPrevented) {
            event.preventDefault();
            onDismiss();
          }
        }}
      >
        <h2 id={titleId} className={styles.title}>
          {title}
        </h2>
        <div
          className={styles.content}
          ref={contentElement}
          {...(isScrolling ? { tabIndex: 0, role: 'group', 'aria-labelledby': titleId } : {})}
        >
          {children}
        </div>
        {pinned !== undefined && <div className={styles.pinned}>{pinned}</div>}
        <div className={styles.footer} ref={footerElement}>
          {footer}
        </div>
        {help !== undefined && <HelpButton page={help} />}
      </DialogSurface>
    </Dialog>
  );
}
