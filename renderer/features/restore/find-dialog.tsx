// Owns looking into a restore point without restoring it: its folders, and a search by name. What was chosen can be restored.
import { Button, makeStyles } from '@fluentui/react-components';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { RestorePoint } from '../../../services/contracts/models/tenant.ts';
import { useText } from '../../i18n/use-text.ts';
import { commandLine } from '../../platform/command-line.ts';
import { openDialog } from '../../platform/dialog-store.ts';
import { formatInstant } from '../../platform/format.ts';
import { DialogFrame } from '../../ui/dialog/dialog-frame.tsx';
import { ShowCommand } from '../../ui/form/show-command.tsx';
import type { Selection } from './item-selection.ts';
import { ItemsChoice } from './items-choice.tsx';
import { usePointTree } from './use-point-tree.ts';

const useStyles = makeStyles({
  content: {
    display: 'flex',
    flexDirection: 'column',
    gap: '12px',
    height: 'clamp(260px, calc(100vh - 260px), 560px)',
  },
});

interface FindDialogProps {
  readonly point: RestorePoint;
  readonly onClose: () => void;
}

export function FindDialog({ point, onClose }: FindDialogProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [selection, setSelection] = useState<Selection>(new Set());
  const tree = usePointTree(point.id);
  return (
    <DialogFrame
      help="restore-files"
      title={t('points.find.title', { job: point.job, at: formatInstant(point.createdAt) })}
      width="wide"
      onDismiss={onClose}
      footer={
        <>
          <Button
            disabled={selection.size === 0}
            onClick={() => {
              onClose();
              openDialog({ kind: 'restore', pointId: point.id, paths: [...selection] });
            }}
          >
            {t('points.find.restore')}
          </Button>
          <Button appearance="primary" onClick={onClose}>
            {t('word.close')}
          </Button>
        </>
      }
    >
      <div className={styles.content}>
        <ItemsChoice tree={tree} selection={selection} onSelection={setSelection} />
        <ShowCommand
          commands={[commandLine('point', 'ls', point.id), commandLine('point', 'find', point.id, 'TEXT')]}
        />
      </div>
    </DialogFrame>
  );
}
