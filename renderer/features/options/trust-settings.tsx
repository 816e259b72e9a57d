// Owns the admin's trust settings: authorities, revocation lists, and whether an unknown revocation status refuses a certificate.
import { Button, Checkbox, MessageBar, MessageBarBody, Tooltip, makeStyles, tokens } from '@fluentui/react-components';
import { Add16Regular, Dismiss16Regular } from '@fluentui/react-icons';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import type { CommandOutput } from '../../../services/contracts/contract.ts';
import { leftOutOfAnswer } from '../../../services/contracts/row-list.ts';
import type { trustDomain } from '../../../services/contracts/rpc/trust.ts';
import { useText } from '../../i18n/use-text.ts';
import { consoleClient, tenantClients } from '../../platform/clients.ts';
import { ErrorView } from '../../ui/error-view.tsx';
import { LeftOutNotice } from '../../ui/left-out-notice.tsx';
import { useCall } from '../../ui/use-call.ts';
import { OptionsSection } from './options-section.tsx';

type Settings = CommandOutput<typeof trustDomain, 'getSettings'>;

const useStyles = makeStyles({
  columns: { display: 'grid', gridTemplateColumns: 'minmax(0, 1fr) minmax(0, 1fr)', gap: '24px' },
  list: { listStyle: 'none', margin: '4px 0', padding: 0 },
  item: { display: 'flex', alignItems: 'center', gap: '4px', overflowWrap: 'anywhere' },
  title: { margin: 0, fontSize: tokens.fontSizeBase300, fontWeight: tokens.fontWeightSemibold },
  muted: { color: tokens.colorNeutralForeground3 },
  checks: { display: 'flex', flexDirection: 'column', marginLeft: '-8px' },
});

export function TrustSettings(): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [settings, setSettings] = useState<Settings | null>(null);
  const { run, error, isBusy } = useCall();
  useEffect(() => {
    void run(async () => setSettings(await tenantClients.trust.getSettings({})));
  }, [run]);
  const save = (change: Partial<Settings>): void =>
    void run(async () => {
      if (settings === null) return;
      const { problems: _problems, ...current } = { ...settings, ...change };
      setSettings(await tenantClients.trust.setSettings(current));
    });
  const addFile = (name: 'rootFiles' | 'crlFiles'): void =>
    void run(async () => {
      const { path } = await consoleClient.chooseFile({
        title: t('trustSettings.choose'),
        filters: [{ name: t('trustSettings.filter'), extensions: ['pem', 'crt', 'cer', 'der', 'crl'] }],
      });
      if (path !== null && settings !== null) save({ [name]: [...settings[name], path] });
    });
  return (
    <OptionsSection title={t('trustSettings.title')}>
      {error !== null && <ErrorView error={error} />}
      {settings !== null && <LeftOutNotice leftOut={leftOutOfAnswer(settings)} lists={{ problems: 'problems' }} />}
      {settings?.problems.map(({ file, message }) => (
        <MessageBar key={file} intent="warning" layout="multiline">
          <MessageBarBody>{message}</MessageBarBody>
        </MessageBar>
      ))}
      {settings !== null && (
        <>
          <div className={styles.columns}>
            <FileList
              title={t('trustSettings.roots')}
              files={settings.rootFiles}
              isBusy={isBusy}
              onAdd={() => addFile('rootFiles')}
              onRemove={(file) => save({ rootFiles: settings.rootFiles.filter((other) => other !== file) })}
            />
            <FileList
              title={t('trustSettings.crls')}
              files={settings.crlFiles}
              isBusy={isBusy}
              onAdd={() => addFile('crlFiles')}
              onRemove={(file) => save({ crlFiles: settings.crlFiles.filter((other) => other !== file) })}
            />
          </div>
          <div className={styles.checks}>
            <Checkbox
              label={t('trustSettings.fetch')}
              checked={settings.canFetchCrl}
              onChange={(_event, data) => save({ canFetchCrl: data.checked === true })}
            />
            <Checkbox
              label={t('trustSettings.require')}
              checked={settings.isRevocationRequired}
              onChange={(_event, data) => save({ isRevocationRequired: data.checked === true })}
            />
            <Checkbox
              label={t('trustSettings.firstUse')}
              checked={settings.canTrustFirstUse}
              onChange={(_event, data) => save({ canTrustFirstUse: data.checked === true })}
            />
          </div>
        </>
      )}
    </OptionsSection>
  );
}

interface FileListProps {
  readonly title: string;
  readonly files: readonly string[];
  readonly isBusy: boolean;
  readonly onAdd: () => void;
  readonly onRemove: (file: string) => void;
}

function FileList({ title, files, isBusy, onAdd, onRemove }: FileListProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  return (
    <div>
      <h4 className={styles.title}>{title}</h4>
      {files.length === 0 ? (
        <p className={styles.muted}>{t('trustSettings.none')}</p>
      ) : (
        <ul className={styles.list}>
          {files.map((file) => (
            <li key={file} className={styles.item}>
              <span>{file}</span>
              <Tooltip content={t('trustSettings.remove', { file })} relationship="label">
                <Button
                  size="small"
                  appearance="subtle"
                  icon={<Dismiss16Regular />}
                  disabled={isBusy}
                  onClick={() => onRemove(file)}
                />
              </Tooltip>
            </li>
          ))}
        </ul>
      )}
      <Button
        size="small"
        icon={<Add16Regular />}
        disabled={isBusy}
        onClick={onAdd}
        aria-label={`${t('trustSettings.add')} ${title}`}
      >
        {t('trustSettings.add')}
      </Button>
    </div>
  );
}
