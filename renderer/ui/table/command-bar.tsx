// Owns the buttons of a list page, made from its commands.
import { ToolbarButton, ToolbarDivider, Tooltip } from '@fluentui/react-components';
import { Fragment } from 'react';
import type { ReactNode } from 'react';
import { isCommandEnabled } from './list-command.ts';
import type { ListCommand } from './list-command.ts';

interface CommandBarProps<T> {
  readonly commands: readonly ListCommand<T>[];
  readonly selected: readonly T[];
}

export function CommandBar<T>({ commands, selected }: CommandBarProps<T>): ReactNode {
  const shown = commands.filter(({ place, isShown }) => place !== 'menu' && isShown?.(selected) !== false);
  return shown.map((command, index) => {
    const before = shown[index - 1];
    // Commands without rows are on the left; a line separates them from the commands for the selection.
    const hasDivider = before?.needs === 'nothing' && command.needs !== 'nothing';
    return (
      <Fragment key={command.id}>
        {hasDivider && <ToolbarDivider />}
        <CommandButton command={command} selected={selected} />
      </Fragment>
    );
  });
}

interface CommandButtonProps<T> {
  readonly command: ListCommand<T>;
  readonly selected: readonly T[];
}

function CommandButton<T>({ command, selected }: CommandButtonProps<T>): ReactNode {
  const isEnabled = isCommandEnabled(command, selected);
  if (command.draw !== undefined) return command.draw(isEnabled, selected);
  const button = {
    icon: command.icon,
    children: command.label,
    onClick: () => command.run(selected),
    ...(command.key === undefined ? {} : { 'aria-keyshortcuts': command.key }),
  };
  const obstacle = selected.length === 0 ? null : (command.obstacle?.(selected) ?? null);
  if (obstacle === null) return <ToolbarButton {...button} disabled={!isEnabled} />;
  return (
    <Tooltip relationship="description" content={obstacle}>
      <ToolbarButton {...button} disabledFocusable />
    </Tooltip>
  );
}
