// Owns how a table was set by the person (sort, widths of columns): read from the preferences, and kept there a moment after the last change.
import { useCallback, useEffect, useRef, useState } from 'react';
import type { TableLook } from '../../../services/contracts/rpc/console.ts';
import { consoleClient } from '../../platform/clients.ts';
import { mirror } from '../../platform/use-mirror.ts';
import { toErrorInfo } from '../../platform/error-info.ts';
import { showToast } from '../toast-store.ts';

const saveDelayMs = 400;
const usual: TableLook = { sort: null, widths: {} };

/** @param tableId undefined for a table that starts as usual every time, such as one in a wizard */
export function useTableLook(tableId: string | undefined): readonly [TableLook, (change: Partial<TableLook>) => void] {
  const [look, setLook] = useState<TableLook>(() => savedLook(tableId));
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const unsaved = useRef<TableLook | null>(null);

  const save = useCallback((): void => {
    clearTimeout(timer.current);
    const changed = unsaved.current;
    unsaved.current = null;
    if (changed !== null && tableId !== undefined) void keep(tableId, changed);
  }, [tableId]);
  // Somebody who sorts and goes to another page at once means it all the same.
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
  // At once in the mirror: the next page may set its own table before this one is answered.
  mirror.setPreferences({ ...preferences, tables });
  try {
    await consoleClient.setPreferences({ tables });
  } catch (error) {
    showToast('error', toErrorInfo(error).message);
  }
}
