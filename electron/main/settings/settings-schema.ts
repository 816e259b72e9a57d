// Owns the shape of the console's settings, and how older files are converted to this shape. Pure: reads no file.
import { z } from 'zod';
import { preferencesSchema, type Preferences } from '../../../services/contracts/rpc/console.ts';
import { serviceRoleSchema } from '../../../services/contracts/models/service.ts';

export const windowStateSchema = z.object({
  x: z.int(),
  y: z.int(),
  width: z.int().min(400).max(20_000),
  height: z.int().min(300).max(20_000),
  isMaximized: z.boolean(),
});
export type WindowState = z.infer<typeof windowStateSchema>;

export const defaultPreferences: Preferences = {
  theme: 'system',
  lastPage: '',
  areNotificationsOn: { finished: true, failed: true, security: true },
  keepRunningInTray: 'ask',
  tables: {},
  zoom: 1,
};

const currentVersion = 1;

/** Each field has its own default, so one damaged value does not reset the others. */
export const settingsSchema = z.object({
  version: z.literal(currentVersion).catch(currentVersion),
  roles: z.array(serviceRoleSchema).catch([]),
  /** Roles whose service another program started when it ran last. The console waits for it and starts none by itself. */
  attachedRoles: z.array(serviceRoleSchema).catch([]),
  window: windowStateSchema.nullable().catch(null),
  preferences: z
    .object({
      theme: preferencesSchema.shape.theme.catch(defaultPreferences.theme),
      lastPage: preferencesSchema.shape.lastPage.catch(defaultPreferences.lastPage),
      areNotificationsOn: preferencesSchema.shape.areNotificationsOn.catch(defaultPreferences.areNotificationsOn),
      keepRunningInTray: preferencesSchema.shape.keepRunningInTray.catch(defaultPreferences.keepRunningInTray),
      tables: preferencesSchema.shape.tables.catch(defaultPreferences.tables),
      zoom: preferencesSchema.shape.zoom.catch(defaultPreferences.zoom),
    })
    .catch(defaultPreferences),
});
export type Settings = z.infer<typeof settingsSchema>;

/** Reads a file of any version. A value that cannot be understood becomes the default. */
export function parseSettings(raw: unknown): Settings {
  const document = typeof raw === 'object' && raw !== null ? raw : {};
  return settingsSchema.parse(document);
}
