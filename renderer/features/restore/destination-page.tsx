// Owns the page Destination of the restore wizard: the folder, and what happens to existing files.
import { Field, MessageBar, MessageBarBody, Radio, RadioGroup } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { consoleClient } from '../../platform/clients.ts';
import { PathField } from '../../ui/form/path-field.tsx';

export const overwriteRules = ['never', 'older', 'always'] as const;
export type OverwriteRule = (typeof overwriteRules)[number];

interface DestinationPageProps {
  readonly destination: string;
  readonly overwrite: OverwriteRule;
  readonly error: string | undefined;
  readonly onDestination: (destination: string) => void;
  readonly onOverwrite: (overwrite: OverwriteRule) => void;
}

export function DestinationPage({
  destination,
  overwrite,
  error,
  onDestination,
  onOverwrite,
}: DestinationPageProps): ReactNode {
  const t = useText();
  return (
    <>
      <PathField
        label={t('restoreWizard.destination')}
        hint={t('restoreWizard.destination.hint')}
        value={destination}
        isRequired
        error={error}
        onChange={onDestination}
        browse={() => consoleClient.chooseFolder({ title: t('restoreWizard.destination.choose') })}
      />
      <Field label={t('restoreWizard.overwrite')}>
        <RadioGroup
          value={overwrite}
          onChange={(_event, data) => onOverwrite(overwriteRules.find((rule) => rule === data.value) ?? 'never')}
        >
          {overwriteRules.map((rule) => (
            <Radio key={rule} value={rule} label={t(`restoreWizard.overwrite.${rule}`)} />
          ))}
        </RadioGroup>
      </Field>
      {overwrite === 'always' && (
        <MessageBar intent="warning" layout="multiline">
          <MessageBarBody>{t('restoreWizard.overwrite.always.warning')}</MessageBarBody>
        </MessageBar>
      )}
    </>
  );
}
