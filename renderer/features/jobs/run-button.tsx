// Owns the button that runs a job, with a menu of the other ways to run it.
import {
  Menu,
  MenuItem,
  MenuList,
  MenuPopover,
  MenuTrigger,
  SplitButton,
  makeStyles,
} from '@fluentui/react-components';
import type { MenuButtonProps } from '@fluentui/react-components';
import { ArrowMinimize20Regular, DocumentSearch20Regular, Play20Regular } from '@fluentui/react-icons';
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

interface RunButtonProps {
  readonly isDisabled: boolean;
  readonly onRun: (options: RunOptions) => void;
}

export function RunButton({ isDisabled, onRun }: RunButtonProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  return (
    <Menu inline positioning="below-start">
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
          <MenuItem
            className={styles.item}
            icon={<DocumentSearch20Regular />}
            subText={{ className: styles.hint, children: t('jobs.run.fullRead.hint') }}
            onClick={() => onRun({ isFullRead: true })}
          >
            {t('jobs.run.fullRead')}
          </MenuItem>
          <MenuItem
            className={styles.item}
            icon={<ArrowMinimize20Regular />}
            subText={{ className: styles.hint, children: t('jobs.run.acceptLess.hint') }}
            onClick={() => onRun({ isLessAccepted: true })}
          >
            {t('jobs.run.acceptLess')}
          </MenuItem>
        </MenuList>
      </MenuPopover>
    </Menu>
  );
}
