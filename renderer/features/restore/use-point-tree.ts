// Owns reading a restore point: each folder when it is opened, and searches.
import { useCallback, useState } from 'react';
import type { PointEntry } from '../../../services/contracts/models/tenant.ts';
import { leftOutOfAnswer } from '../../../services/contracts/row-list.ts';
import { tenantClients } from '../../platform/clients.ts';
import { toErrorInfo } from '../../platform/error-info.ts';
import type { FolderContent, Folders } from './tree-rows.ts';

export interface PointTree {
  readonly folders: Folders;
  readonly expanded: ReadonlySet<string>;
  readonly open: (path: string) => void;
  readonly close: (path: string) => void;
  readonly find: (text: string) => Promise<{ readonly entries: readonly PointEntry[]; readonly isTruncated: boolean }>;
}

const loading: FolderContent = { state: 'loading', entries: [], isTruncated: false, message: '', leftOut: [] };

export function usePointTree(pointId: string | null): PointTree {
  const [folders, setFolders] = useState<Folders>(new Map());
  const [expanded, setExpanded] = useState<ReadonlySet<string>>(new Set());
  const [shownPoint, setShownPoint] = useState(pointId);
  if (shownPoint !== pointId) {
    setShownPoint(pointId);
    setFolders(new Map());
    setExpanded(new Set());
  }

  const read = useCallback(
    async (path: string): Promise<void> => {
      if (pointId === null) return;
      const put = (content: FolderContent): void => setFolders((before) => new Map(before).set(path, content));
      put(loading);
      try {
        const answer = await tenantClients.points.listFolder({ pointId, path });
        const { entries, isTruncated } = answer;
        put({ state: 'ready', entries, isTruncated, message: '', leftOut: leftOutOfAnswer(answer) });
      } catch (error) {
        const { message, hint } = toErrorInfo(error);
        put({ ...loading, state: 'failed', message: `${message} ${hint}`.trim() });
      }
    },
    [pointId],
  );
  const open = useCallback(
    (path: string): void => {
      setExpanded((before) => new Set(before).add(path));
      const known = folders.get(path);
      if (known === undefined || known.state === 'failed') void read(path);
    },
    [folders, read],
  );
  const close = useCallback((path: string): void => {
    setExpanded((before) => {
      const next = new Set(before);
      next.delete(path);
      return next;
    });
  }, []);
  const find = useCallback<PointTree['find']>(
    async (text) =>
      pointId === null ? { entries: [], isTruncated: false } : tenantClients.points.find({ pointId, text }),
    [pointId],
  );
  return { folders, expanded, open, close, find };
}
