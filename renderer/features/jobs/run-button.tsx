// Owns the button that runs a job, with a menu of options for one run. The options can be combined.
import {
  Menu,
  MenuDivider,
  MenuItem,
  MenuItemCheckbox,
  MenuList,
  MenuPopover,
  MenuTrigger,
  SplitButton,
  makeStyles,
} from '@fluentui/react-components';
import type { MenuButtonProps } from '@fluentui/react-components';
import { Play20Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { CommandInput } from '../../../services/contracts/contract.ts';
import type { jobsDomain } from '../../../services/contracts/rpc/jobs.ts';
import { useText } from '../../i18n/use-text.ts';

export type RunOptions = Omit<CommandInput<typeof jobsDomain, 'run'>, 'jobId'>;

const useStyles = makeStyles({
  // The button has the width of the other commands.
  run: { minWidth: 'unset', padding: '5px 8px' },
  other: { minWidth: '24px', padding: '0 2px' },
  // Each explanation is on one line.
  popover: { maxWidth: 'none' },
  item: { maxWidth: 'none' },
  hint: { whiteSpace: 'nowrap' },
});

const optionNames = ['isFullRead', 'isLessAccepted'] as const;
const noOptions: readonly string[] = [];

interface RunButtonProps {
  readonly isDisabled: boolean;
  readonly onRun: (options: RunOptions) => void;
}

export function RunButton({ isDisabled, onRun }: RunButtonProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [chosen, setChosen] = useState(noOptions);
  return (
    <Menu
      inline
      positioning="below-start"
      checkedValues={{ options: [...chosen] }}
      onCheckedValueChange={(_event, { checkedItems }) => setChosen(checkedItems)}
      // The options are for one run.
      onOpenChange={() => setChosen(noOptions)}
    >
      <MenuTrigger disableButtonEnhancement>
        {(trigger) => (
          <SplitButton
            appearance="subtle"
            icon={<Play20Regular />}
            disabled={isDisabled}
            primaryActionButton={{ className: styles.run, onClick: () => onRun({}) }}
            menuButton={{ ...(trigger as MenuButtonProps), className: styles.other, 'aria-label': t('jobs.run.other') }}
          >
            {t('jobs.run')}
          </SplitButton>
        )}
      </MenuTrigger>
      <MenuPopover className={styles.popover}>
        <MenuList>
          {optionNames.map((option) => (
            <MenuItemCheckbox
              key={option}
              className={styles.item}
              name="options"
              value={option}
              subText={{ className: styles.hint, children: t(`jobs.run.${option}.hint`) }}
            >
              {t(`jobs.run.${option}`)}
            </MenuItemCheckbox>
          ))}
          <MenuDivider />
          <MenuItem
            className={styles.item}
            icon={<Play20Regular />}
            onClick={() => onRun(Object.fromEntries(chosen.map((option) => [option, true])))}
          >
            {t('jobs.run.withOptions')}
          </MenuItem>
        </MenuList>
      </MenuPopover>
    </Menu>
  );
}
