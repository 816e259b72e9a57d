// Owns the button with the state filters of a list.
import {
  Menu,
  MenuButton,
  MenuItemRadio,
  MenuList,
  MenuPopover,
  MenuTrigger,
  makeStyles,
} from '@fluentui/react-components';
import { Filter20Filled, Filter20Regular } from '@fluentui/react-icons';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { formatCount } from '../../platform/format.ts';
import type { ListFilter } from './list-filter.ts';

const menuName = 'filter';
const everything = '';

const useStyles = makeStyles({ button: { minWidth: 'unset', whiteSpace: 'nowrap', flexShrink: 0 } });

interface FilterMenuProps<T> {
  readonly filters: readonly ListFilter<T>[];
  readonly rows: readonly T[];
  readonly chosen: ListFilter<T> | undefined;
  readonly onChoose: (filterId: string | null) => void;
}

export function FilterMenu<T>({ filters, rows, chosen, onChoose }: FilterMenuProps<T>): ReactNode {
  const t = useText();
  const styles = useStyles();
  const all: ListFilter<T> = { id: everything, label: t('list.filter.all'), isMatch: () => true };
  return (
    <Menu
      inline
      checkedValues={{ [menuName]: [chosen?.id ?? everything] }}
      onCheckedValueChange={(_event, { checkedItems }) => onChoose(checkedItems[0] || null)}
    >
      <MenuTrigger disableButtonEnhancement>
        <MenuButton
          appearance="subtle"
          className={styles.button}
          icon={chosen === undefined ? <Filter20Regular /> : <Filter20Filled />}
        >
          {chosen === undefined ? t('list.filter') : t('list.filter.chosen', { filter: chosen.label })}
        </MenuButton>
      </MenuTrigger>
      <MenuPopover>
        <FilterItems filters={[all, ...filters]} rows={rows} />
      </MenuPopover>
    </Menu>
  );
}

/** Drawn only while the menu is open, because it counts the rows of every filter. */
function FilterItems<T>({ filters, rows }: Pick<FilterMenuProps<T>, 'filters' | 'rows'>): ReactNode {
  return (
    <MenuList>
      {filters.map(({ id, label, isMatch }) => (
        <MenuItemRadio
          key={id}
          name={menuName}
          value={id}
          secondaryContent={{ children: formatCount(rows.filter(isMatch).length), 'aria-hidden': true }}
        >
          {label}
        </MenuItemRadio>
      ))}
    </MenuList>
  );
}
