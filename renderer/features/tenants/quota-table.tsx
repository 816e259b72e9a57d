// Owns choosing repositories and quotas for a tenant.
import {
  Button,
  Checkbox,
  Input,
  MessageBar,
  MessageBarBody,
  Select,
  makeStyles,
  tokens,
} from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { openDialog } from '../../platform/dialog-store.ts';
import { quotaUnits } from './tenant-draft.ts';
import type { QuotaDraft, QuotaUnit } from './tenant-draft.ts';

const useStyles = makeStyles({
  list: { listStyle: 'none', margin: 0, padding: 0, display: 'flex', flexDirection: 'column', gap: '6px' },
  item: { display: 'grid', gridTemplateColumns: '1fr 110px 84px', gap: '8px', alignItems: 'center' },
  error: { margin: 0, minHeight: '20px', color: tokens.colorPaletteRedForeground1 },
  action: { alignSelf: 'flex-start' },
  text: { margin: 0 },
  remark: { whiteSpace: 'normal' },
});

interface QuotaTableProps {
  /** Names of the repositories. */
  readonly repositories: readonly string[];
  readonly quotaOf: (repository: string) => QuotaDraft;
  readonly onChange: (repository: string, quota: QuotaDraft) => void;
  readonly error: string | undefined;
  /** What the present choice means for stored backups. */
  readonly remarks?: readonly string[];
}

export function QuotaTable({ repositories, quotaOf, onChange, error, remarks = [] }: QuotaTableProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  return (
    <>
      {repositories.length === 0 ? (
        <p className={styles.text}>{t('tenantWizard.resources.none')}</p>
      ) : (
        <ul className={styles.list} aria-label={t('tenantWizard.step.resources')}>
          {repositories.map((name) => {
            const quota = quotaOf(name);
            return (
              <li key={name} className={styles.item}>
                <Checkbox
                  label={name}
                  checked={quota.isChosen}
                  onChange={(_event, data) => onChange(name, { ...quota, isChosen: data.checked === true })}
                />
                <Input
                  aria-label={`${t('tenantWizard.quota')}, ${name}`}
                  inputMode="decimal"
                  disabled={!quota.isChosen}
                  value={quota.amount}
                  onChange={(_event, data) => onChange(name, { ...quota, amount: data.value })}
                />
                <Select
                  aria-label={`${t('tenantWizard.quota.unit')}, ${name}`}
                  disabled={!quota.isChosen}
                  value={quota.unit}
                  onChange={(_event, data) => onChange(name, { ...quota, unit: unitOf(data.value) })}
                >
                  {Object.keys(quotaUnits).map((unit) => (
                    <option key={unit} value={unit}>
                      {unit}
                    </option>
                  ))}
                </Select>
              </li>
            );
          })}
        </ul>
      )}
      {remarks.map((remark) => (
        <MessageBar key={remark} intent="warning" layout="multiline">
          <MessageBarBody className={styles.remark}>{remark}</MessageBarBody>
        </MessageBar>
      ))}
      <p className={styles.error} role="alert">
        {error}
      </p>
      <Button className={styles.action} onClick={() => openDialog({ kind: 'add-repository' })}>
        {t('tenantWizard.resources.addRepository')}
      </Button>
    </>
  );
}

function unitOf(text: string): QuotaUnit {
  return text === 'MB' || text === 'TB' ? text : 'GB';
}
