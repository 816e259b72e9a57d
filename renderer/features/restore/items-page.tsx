// Owns the page Items of the restore wizard: everything, or chosen entries.
import { Radio, RadioGroup } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import type { Selection } from './item-selection.ts';
import { ItemsChoice } from './items-choice.tsx';
import type { PointTree } from './use-point-tree.ts';

interface ItemsPageProps {
  readonly tree: PointTree;
  readonly isEverything: boolean;
  readonly onEverything: (isEverything: boolean) => void;
  readonly selection: Selection;
  readonly onSelection: (selection: Selection) => void;
  readonly error: string | undefined;
}

export function ItemsPage({ isEverything, onEverything, ...choice }: ItemsPageProps): ReactNode {
  const t = useText();
  return (
    <>
      <RadioGroup
        layout="horizontal"
        aria-label={t('restoreWizard.items.choice')}
        value={isEverything ? 'all' : 'some'}
        onChange={(_event, data) => onEverything(data.value === 'all')}
      >
        <Radio value="all" label={t('restoreWizard.items.all')} />
        <Radio value="some" label={t('restoreWizard.items.some')} />
      </RadioGroup>
      {!isEverything && <ItemsChoice {...choice} />}
    </>
  );
}
