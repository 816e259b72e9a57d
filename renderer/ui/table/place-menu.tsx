// Owns a menu that opens at a place of the window, such as a context menu. Closing returns the focus to the element that the menu is about.
import { Menu, MenuList, MenuPopover } from '@fluentui/react-components';
import type { MenuProps } from '@fluentui/react-components';
import type { ReactNode, RefObject } from 'react';
import type { MenuPlace } from './data-table.tsx';

/** The element itself, such as a table, or the button in it. */
function focusOwner(owner: HTMLElement | null): void {
  const target = owner?.tabIndex === 0 ? owner : owner?.querySelector('button');
  target?.focus();
}

interface PlaceMenuProps extends Pick<MenuProps, 'checkedValues' | 'onCheckedValueChange' | 'persistOnItemClick'> {
  readonly label: string;
  readonly place: MenuPlace;
  readonly owner: RefObject<HTMLElement | null>;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

export function PlaceMenu({ label, place, owner, onClose, children, ...menu }: PlaceMenuProps): ReactNode {
  const close = (): void => {
    focusOwner(owner.current);
    onClose();
  };
  const rect = DOMRect.fromRect({ x: place.x, y: place.y, width: 0, height: 0 });
  return (
    <Menu
      open
      inline
      onOpenChange={(_event, { open }) => !open && close()}
      positioning={{ target: { getBoundingClientRect: () => rect }, position: 'below', align: 'start' }}
      {...menu}
    >
      <MenuPopover>
        <MenuList aria-label={label} aria-labelledby={undefined}>
          {children}
        </MenuList>
      </MenuPopover>
    </Menu>
  );
}
