// Owns the menu in which a person shows and hides the columns of a table.
import { MenuDivider, MenuItem, MenuItemCheckbox } from '@fluentui/react-components';
import { ArrowReset20Regular } from '@fluentui/react-icons';
import type { ReactNode, RefObject } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { shownColumns, toggleColumn } from './column-look.ts';
import type { MenuPlace, TableColumn } from './data-table.tsx';
import { PlaceMenu } from './place-menu.tsx';
import type { TableLookState } from './use-table-look.ts';

const menuName = 'columns';

interface ColumnMenuProps<T> {
  readonly columns: readonly TableColumn<T>[];
  readonly look: TableLookState;
  readonly place: MenuPlace;
  readonly owner: RefObject<HTMLElement | null>;
  readonly onClose: () => void;
}

export function ColumnMenu<T>({
  columns,
  look: [look, setLook],
  place,
  owner,
  onClose,
}: ColumnMenuProps<T>): ReactNode {
  const t = useText();
  const hidden = look.hidden ?? [];
  const isChanged = hidden.length > 0 || Object.keys(look.widths).length > 0;
  return (
    <PlaceMenu
      label={t('list.columns')}
      place={place}
      owner={owner}
      onClose={onClose}
      persistOnItemClick
      checkedValues={{ [menuName]: shownColumns(columns, hidden).map(({ id }) => id) }}
    >
      {columns.map(({ id, title }, index) => (
        <MenuItemCheckbox
          key={id}
          name={menuName}
          value={id}
          // The first column names the row.
          disabled={index === 0}
          onClick={() => setLook({ hidden: [...toggleColumn(columns, hidden, id)] })}
        >
          {title}
        </MenuItemCheckbox>
      ))}
      <MenuDivider />
      <MenuItem
        icon={<ArrowReset20Regular />}
        disabled={!isChanged}
        onClick={() => setLook({ hidden: [], widths: {} })}
      >
        {t('list.columns.reset')}
      </MenuItem>
    </PlaceMenu>
  );
}
