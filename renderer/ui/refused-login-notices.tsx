// Owns the notices about providers that refuse the saved password, with the button to enter the new one.
import { Button, MessageBar, MessageBarActions, MessageBarBody, MessageBarTitle } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { useText } from '../i18n/use-text.ts';
import { openDialog } from '../platform/dialog-store.ts';
import { useMirror } from '../platform/use-mirror.ts';

export function RefusedLoginNotices(): ReactNode {
  const t = useText();
  const providers = useMirror(({ tenant }) => tenant.providers);
  return providers
    .filter(({ problemCode }) => problemCode === 'login.refused')
    .map(({ id, name, userName }) => (
      <MessageBar key={id} intent="error" layout="multiline">
        <MessageBarBody>
          <MessageBarTitle>{t('login.refused.title', { name })}</MessageBarTitle>{' '}
          {t('login.refused.text', { userName })}
        </MessageBarBody>
        <MessageBarActions>
          <Button
            size="small"
            onClick={() => openDialog({ kind: 'edit-service-provider', providerId: id, isPasswordWanted: true })}
          >
            {t('login.refused.enter')}
          </Button>
        </MessageBarActions>
      </MessageBar>
    ));
}
