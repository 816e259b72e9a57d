// Owns the notice about rows that a list cannot show. Every list with rows from a service has one.
import { MessageBar, MessageBarBody, makeStyles } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import type { LeftOutRows } from '../../services/contracts/row-list.ts';
import { useText } from '../i18n/use-text.ts';
import { leftOutTexts } from './left-out-text.ts';
import type { LeftOutLists } from './left-out-text.ts';

const useStyles = makeStyles({ body: { whiteSpace: 'normal', overflowWrap: 'anywhere' } });

export interface LeftOutNoticeProps {
  readonly leftOut: readonly LeftOutRows[];
  readonly lists: LeftOutLists;
}

export function LeftOutNotice({ leftOut, lists }: LeftOutNoticeProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  return leftOutTexts(leftOut, lists, t).map((text) => (
    <MessageBar key={text} intent="warning" layout="multiline">
      <MessageBarBody className={styles.body}>{text}</MessageBarBody>
    </MessageBar>
  ));
}
