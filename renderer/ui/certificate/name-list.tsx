// Owns the names in a certificate: all of them if there are few, otherwise the first ones and a button for the rest.
import { Link, makeStyles } from '@fluentui/react-components';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';

const mostAtOnce = 8;
const shownOfMany = 5;

const useStyles = makeStyles({ names: { overflowWrap: 'anywhere' }, more: { display: 'block' } });

export function NameList({ names }: { readonly names: readonly string[] }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [isWhole, setWhole] = useState(false);
  if (names.length === 0) return t('certificate.names.none');
  if (names.length <= mostAtOnce) return <span className={styles.names}>{names.join(', ')}</span>;
  return (
    <>
      <span className={styles.names}>{names.slice(0, isWhole ? names.length : shownOfMany).join(', ')}</span>
      <Link
        as="button"
        type="button"
        className={styles.more}
        aria-expanded={isWhole}
        onClick={() => setWhole(!isWhole)}
      >
        {isWhole ? t('certificate.names.fewer') : t('certificate.names.all', { count: names.length })}
      </Link>
    </>
  );
}
