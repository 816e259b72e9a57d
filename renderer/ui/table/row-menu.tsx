// Owns the context menu of a list: the commands for the selected rows, or those of the list itself.
import { MenuDivider, MenuItem } from '@fluentui/react-components';
import { ArrowClockwise20Regular } from '@fluentui/react-icons';
import type { ReactNode, RefObject } from 'react';
import { useText } from '../../i18n/use-text.ts';
import type { MenuPlace } from './data-table.tsx';
import { isCommandEnabled, menuCommands } from './list-command.ts';
import type { ListCommand } from './list-command.ts';
import { PlaceMenu } from './place-menu.tsx';

/** For the eye only: assistive technology gets the key from `aria-keyshortcuts`. */
function keyHint(key: string): { readonly children: string; readonly 'aria-hidden': true } {
  return { children: key, 'aria-hidden': true };
}

interface RowMenuProps<T> {
  readonly label: string;
  readonly commands: readonly ListCommand<T>[];
  readonly selected: readonly T[];
  readonly place: MenuPlace;
  readonly table: RefObject<HTMLElement | null>;
  readonly onRefresh: () => void;
  readonly onClose: () => void;
}

export function RowMenu<T>({
  label,
  commands,
  selected,
  place,
  table,
  onRefresh,
  onClose,
}: RowMenuProps<T>): ReactNode {
  const t = useText();
  const shown = menuCommands(commands, selected);
  /** The table gets the focus first, so that a dialog of the command returns the focus to the table. */
  const runAfterClose = (run: () => void): void => {
    table.current?.focus();
    onClose();
    run();
  };
  return (
    <PlaceMenu label={t('list.menu', { what: label })} place={place} owner={table} onClose={onClose}>
      {shown.map((command) => (
        <MenuItem
          key={command.id}
          icon={command.icon}
          disabled={!isCommandEnabled(command, selected)}
          {...(command.key === undefined
            ? {}
            : { secondaryContent: keyHint(command.key), 'aria-keyshortcuts': command.key })}
          onClick={() => runAfterClose(() => command.run(selected))}
        >
          {command.label}
        </MenuItem>
      ))}
      {shown.length > 0 && <MenuDivider />}
      <MenuItem
        icon={<ArrowClockwise20Regular />}
        secondaryContent={keyHint('F5')}
        aria-keyshortcuts="F5"
        onClick={() => runAfterClose(onRefresh)}
      >
        {t('list.refresh')}
      </MenuItem>
    </PlaceMenu>
  );
}
