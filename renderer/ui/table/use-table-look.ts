// Owns the user's settings of a table (sort, widths of columns, hidden columns). Reads them from the preferences, and stores them shortly after a change.
import { useCallback, useEffect, useRef, useState } from 'react';
import type { TableLook } from '../../../services/contracts/rpc/console.ts';
import { consoleClient } from '../../platform/clients.ts';
import { mirror } from '../../platform/use-mirror.ts';
import { toErrorInfo } from '../../platform/error-info.ts';
import { showToast } from '../toast-store.ts';

const saveDelayMs = 400;
const usual: TableLook = { sort: null, widths: {} };

export type TableLookState = readonly [TableLook, (change: Partial<TableLook>) => void];

/** @param tableId undefined for a table that always starts with the defaults, such as a table in a wizard */
export function useTableLook(tableId: string | undefined): TableLookState {
  const [look, setLook] = useState<TableLook>(() => savedLook(tableId));
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const unsaved = useRef<TableLook | null>(null);

  const save = useCallback((): void => {
    clearTimeout(timer.current);
    const changed = unsaved.current;
    unsaved.current = null;
    if (changed !== null && tableId !== undefined) void keep(tableId, changed);
  }, [tableId]);
  // If the user sorts and opens another page at once, the change must still be stored.
  useEffect(() => save, [save]);

  const change = (part: Partial<TableLook>): void => {
    const next = { ...(unsaved.current ?? look), ...part };
    setLook(next);
    unsaved.current = next;
    clearTimeout(timer.current);
    timer.current = setTimeout(save, saveDelayMs);
  };
  return [look, change];
}

function savedLook(tableId: string | undefined): TableLook {
  return (tableId === undefined ? undefined : mirror.store.getState().console.preferences?.tables[tableId]) ?? usual;
}

async function keep(tableId: string, look: TableLook): Promise<void> {
  const { preferences } = mirror.store.getState().console;
  if (preferences === null) return;
  const tables = { ...preferences.tables, [tableId]: look };
  // Changes the mirror at once, because the next page may change its own table before this call is answered.
  mirror.setPreferences({ ...preferences, tables });
  try {
    await consoleClient.setPreferences({ tables });
  } catch (error) {
    showToast('error', toErrorInfo(error).message);
  }
}
