// Owns the run time of a session in a list. It ticks while the session is not over.
import type { ReactNode } from 'react';
import type { SessionSummary } from '../../../services/contracts/models/session.ts';
import { formatRunTime } from '../../platform/format.ts';
import { useNow } from '../time/use-now.ts';

export function RunTime({ session }: { readonly session: SessionSummary }): ReactNode {
  const { createdAt, endedAt } = session;
  const now = useNow(endedAt === null);
  return formatRunTime((endedAt === null ? now : Date.parse(endedAt)) - Date.parse(createdAt));
}
