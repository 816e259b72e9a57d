// Owns what a list page can do with its rows, as data. The command bar, the context menu and the keys are made from it.
import type { ReactElement, ReactNode } from 'react';

export interface ListCommand<T> {
  readonly id: string;
  readonly label: string;
  readonly icon: ReactElement;
  /** How many rows must be selected. */
  readonly needs: 'nothing' | 'one' | 'some';
  /** Whether the command appears at all, for two commands that exclude each other. Default: always. */
  readonly isShown?: (rows: readonly T[]) => boolean;
  /** Whether the command can do something with these rows. Default: always. */
  readonly canRun?: (rows: readonly T[]) => boolean;
  /** Why the command cannot run although rows are selected; shown at its button. */
  readonly obstacle?: (rows: readonly T[]) => string | null;
  readonly run: (rows: readonly T[]) => void;
  /** The key while the table has the focus. Enter and a double click open the row. */
  readonly key?: 'Enter' | 'F2' | 'Delete';
  /** Where the command appears. Default: in the command bar and in the context menu. */
  readonly place?: 'bar' | 'menu';
  /** Draws something else in the command bar than a button, such as a button with a menu. */
  readonly draw?: (isEnabled: boolean, rows: readonly T[]) => ReactNode;
}

export function isCommandEnabled<T>(command: ListCommand<T>, rows: readonly T[]): boolean {
  if (command.isShown?.(rows) === false) return false;
  if (command.needs === 'one' && rows.length !== 1) return false;
  if (command.needs === 'some' && rows.length === 0) return false;
  if ((command.obstacle?.(rows) ?? null) !== null) return false;
  return command.canRun?.(rows) ?? true;
}

/** The command that a key runs now, if any. */
export function commandForKey<T>(
  commands: readonly ListCommand<T>[],
  key: string,
  rows: readonly T[],
): ListCommand<T> | undefined {
  return commands.find((command) => command.key === key && isCommandEnabled(command, rows));
}

/** The commands of the context menu: those for rows, or those without rows if the click was beside the rows. */
export function menuCommands<T>(commands: readonly ListCommand<T>[], rows: readonly T[]): readonly ListCommand<T>[] {
  const inMenu = commands.filter(({ place, isShown }) => place !== 'bar' && isShown?.(rows) !== false);
  return inMenu.filter(({ needs }) => (rows.length === 0 ? needs === 'nothing' : needs !== 'nothing'));
}
