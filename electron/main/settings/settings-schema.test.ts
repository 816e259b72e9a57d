import { expect, it } from 'vitest';
import { defaultPreferences, parseSettings } from './settings-schema.ts';

it('starts without chosen roles', () => {
  expect(parseSettings(undefined)).toEqual({
    ...{ version: 1, roles: [], attachedRoles: [], window: null },
    preferences: defaultPreferences,
  });
});

it('keeps the valid values if one value is damaged', () => {
  const window = { x: 1, y: 2, width: 1000, height: 700, isMaximized: false };
  const settings = parseSettings({
    version: 1,
    roles: ['tenant', 'provider'],
    window,
    preferences: { ...defaultPreferences, theme: 'purple', keepRunningInTray: 'never' },
    unknown: 'from a later version',
  });
  expect(settings).toEqual({
    version: 1,
    roles: ['tenant', 'provider'],
    attachedRoles: [],
    window,
    preferences: { ...defaultPreferences, keepRunningInTray: 'never' },
  });
});

it('keeps the settings of tables; a damaged one does not affect the others', () => {
  const tables = { 'tenant/jobs': { sort: { columnId: 'name', direction: 'descending' }, widths: { name: 240 } } };
  expect(parseSettings({ preferences: { ...defaultPreferences, theme: 'dark', tables } }).preferences.tables).toEqual(
    tables,
  );
  const withHidden = { 'tenant/jobs': { sort: null, widths: {}, hidden: ['source'] } };
  expect(parseSettings({ preferences: { ...defaultPreferences, tables: withHidden } }).preferences.tables).toEqual(
    withHidden,
  );
  const damaged = { 'tenant/jobs': { sort: 'up', widths: { name: -1 } } };
  expect(parseSettings({ preferences: { ...defaultPreferences, theme: 'dark', tables: damaged } }).preferences).toEqual(
    {
      ...defaultPreferences,
      theme: 'dark',
    },
  );
});

it('keeps the zoom, and starts without zoom after an impossible value', () => {
  expect(parseSettings({ preferences: { ...defaultPreferences, zoom: 1.25 } }).preferences.zoom).toBe(1.25);
  expect(parseSettings({ preferences: { ...defaultPreferences, zoom: 40 } }).preferences.zoom).toBe(1);
});

it('does not open a window of an impossible size', () => {
  expect(parseSettings({ window: { x: 0, y: 0, width: 3, height: 3, isMaximized: false } }).window).toBeNull();
});
