import { createElement } from 'react';
import { describe, expect, it } from 'vitest';
import { commandForKey, isCommandEnabled, menuCommands } from './list-command.ts';
import type { ListCommand } from './list-command.ts';

interface Row {
  readonly isRunning: boolean;
}

const idle: Row = { isRunning: false };
const running: Row = { isRunning: true };
const command = (id: string, changes: Partial<ListCommand<Row>>): ListCommand<Row> => ({
  id,
  label: id,
  icon: createElement('i'),
  needs: 'nothing',
  run: () => undefined,
  ...changes,
});
const add = command('add', {});
const edit = command('edit', { needs: 'one', key: 'F2' });
const remove = command('remove', {
  needs: 'some',
  key: 'Delete',
  canRun: (rows) => rows.every(({ isRunning }) => !isRunning),
});
const verify = command('verify', {
  needs: 'some',
  place: 'bar',
  obstacle: (rows) => (rows.length > 2 ? 'Too many rows' : null),
});
const all = [add, edit, remove, verify];
const ids = (commands: readonly ListCommand<Row>[]): readonly string[] => commands.map(({ id }) => id);

describe('a command of a list', () => {
  it('is enabled for the number of rows that it needs', () => {
    expect([[], [idle], [idle, idle]].map((rows) => isCommandEnabled(add, rows))).toEqual([true, true, true]);
    expect([[], [idle], [idle, idle]].map((rows) => isCommandEnabled(edit, rows))).toEqual([false, true, false]);
    expect([[], [idle], [idle, idle]].map((rows) => isCommandEnabled(remove, rows))).toEqual([false, true, true]);
  });

  it('is not enabled if one of the rows refuses it', () => {
    expect(isCommandEnabled(remove, [idle, running])).toBe(false);
    expect(isCommandEnabled(verify, [idle, idle])).toBe(true);
    expect(isCommandEnabled(verify, [idle, idle, idle])).toBe(false);
  });

  it('is found by its key while it is enabled', () => {
    expect(commandForKey(all, 'Delete', [idle, idle])).toBe(remove);
    expect(commandForKey(all, 'Delete', [running])).toBeUndefined();
    expect(commandForKey(all, 'F2', [idle, idle])).toBeUndefined();
    expect(commandForKey(all, 'F9', [idle])).toBeUndefined();
  });

  it('gives its place to the command that excludes it', () => {
    const stop = command('stop', { needs: 'some', isShown: (rows) => rows.some(({ isRunning }) => isRunning) });
    expect(ids(menuCommands([stop], [running]))).toEqual(['stop']);
    expect(ids(menuCommands([stop], [idle]))).toEqual([]);
    expect(isCommandEnabled(stop, [idle])).toBe(false);
  });

  it('is in the context menu of rows, or in that of the place beside the rows', () => {
    expect(ids(menuCommands(all, [idle]))).toEqual(['edit', 'remove']);
    expect(ids(menuCommands(all, []))).toEqual(['add']);
  });
});
