// Owns the notification area: everything that waits for a person, from background jobs and from services.
import {
  Button,
  CounterBadge,
  Popover,
  PopoverSurface,
  PopoverTrigger,
  makeStyles,
  tokens,
} from '@fluentui/react-components';
import { Alert20Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { TrustPrompt } from '../../services/contracts/models/trust.ts';
import { useText } from '../i18n/use-text.ts';
import { askTrust } from '../platform/trust-question.ts';
import { useMirror } from '../platform/use-mirror.ts';
import { Instant } from '../ui/time/instant.tsx';

const useStyles = makeStyles({
  anchor: { position: 'relative', display: 'inline-flex' },
  badge: { position: 'absolute', top: '2px', right: '2px', pointerEvents: 'none' },
  surface: { width: '360px', padding: '16px' },
  title: { margin: '0 0 10px 0', fontSize: tokens.fontSizeBase400, fontWeight: tokens.fontWeightSemibold },
  list: { listStyle: 'none', margin: 0, padding: 0, display: 'flex', flexDirection: 'column', gap: '12px' },
  item: { display: 'flex', flexDirection: 'column', gap: '2px', alignItems: 'flex-start' },
  itemTitle: { fontWeight: tokens.fontWeightSemibold, overflowWrap: 'anywhere' },
  muted: { color: tokens.colorNeutralForeground3, margin: 0 },
  review: { marginTop: '6px' },
});

export function NotificationArea(): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [isOpen, setOpen] = useState(false);
  const prompts = useMirror(({ tenant }) => tenant.prompts);
  const announcements = useMirror(({ tenant }) => tenant.announcements);
  const refused = announcements.filter(({ outcome }) => outcome === 'refused').length;
  const waiting = prompts.filter(({ waitingJob }) => waitingJob !== null);
  const review = (prompt: TrustPrompt): void => {
    setOpen(false);
    void askTrust(prompt);
  };
  return (
    <Popover open={isOpen} onOpenChange={(_event, data) => setOpen(data.open)} positioning="below-end" trapFocus>
      <span className={styles.anchor}>
        <PopoverTrigger disableButtonEnhancement>
          <Button
            appearance="subtle"
            icon={<Alert20Regular />}
            aria-label={t('notifications.button', { count: waiting.length + refused })}
          />
        </PopoverTrigger>
        {waiting.length + refused > 0 && (
          <CounterBadge
            className={styles.badge}
            count={waiting.length + refused}
            size="small"
            color="danger"
            aria-hidden
          />
        )}
      </span>
      <PopoverSurface className={styles.surface} aria-label={t('notifications.title')}>
        <h2 className={styles.title}>{t('notifications.title')}</h2>
        {waiting.length === 0 && announcements.length === 0 ? (
          <p className={styles.muted}>{t('notifications.empty')}</p>
        ) : (
          <ul className={styles.list}>
            {waiting.map((prompt) => (
              <li key={prompt.id} className={styles.item}>
                <span className={styles.itemTitle}>
                  {t(prompt.kind === 'changed' ? 'notifications.changed' : 'notifications.untrusted', {
                    identity: prompt.identity,
                  })}
                </span>
                <span className={styles.muted}>
                  {t('notifications.waits', { job: prompt.waitingJob ?? '' })}{' '}
                  <Instant at={prompt.raisedAt} style="time" />
                </span>
                <Button size="small" className={styles.review} onClick={() => review(prompt)}>
                  {t('notifications.review')}
                </Button>
              </li>
            ))}
            {announcements.map((announcement, index) => (
              <li key={index} className={styles.item}>
                <span className={styles.itemTitle}>
                  {t(`notifications.announcement.${announcement.outcome}`, { identity: announcement.identity })}
                </span>
                <span className={styles.muted}>{announcement.message}</span>
              </li>
            ))}
          </ul>
        )}
      </PopoverSurface>
    </Popover>
  );
}
