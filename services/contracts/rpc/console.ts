// Domain served by the Electron main process: roles, services, preferences, and the few things of the desktop the renderer may ask for.
import { z } from 'zod';
import { defineDomain } from '../contract.ts';
import { serviceRoleSchema, supervisedServiceSchema } from '../models/service.ts';
import { bytesSchema, emptySchema } from '../models/values.ts';
import { rowList } from '../row-list.ts';

/** How a person has set a table: kept for each table, by the page that it is on. */
export const tableLookSchema = z.object({
  sort: z.object({ columnId: z.string().max(60), direction: z.enum(['ascending', 'descending']) }).nullable(),
  /** Pixels, by column; a column that is not here has its usual width. */
  widths: z.record(z.string().max(60), z.int().min(40).max(2000)),
});
export type TableLook = z.infer<typeof tableLookSchema>;

export const preferencesSchema = z.object({
  theme: z.enum(['system', 'light', 'dark']),
  /** Page to open at start, as in the navigation. */
  lastPage: z.string().max(100),
  areNotificationsOn: z.object({ finished: z.boolean(), failed: z.boolean(), security: z.boolean() }),
  keepRunningInTray: z.enum(['ask', 'always', 'never']),
  tables: z.record(z.string().max(60), tableLookSchema),
});
export type Preferences = z.infer<typeof preferencesSchema>;

/** What the diagnostics hold, in the order of the archive. */
export const diagnosticsStepNames = [
  'versions',
  'configuration',
  'services',
  'sessions',
  'trust-journal',
  'logs',
] as const;
export const diagnosticsStepNameSchema = z.enum(diagnosticsStepNames);
export type DiagnosticsStepName = z.infer<typeof diagnosticsStepNameSchema>;

export const consoleDomain = defineDomain({
  name: 'console',
  targets: ['console'],
  commands: {
    info: {
      input: emptySchema,
      output: z.object({
        version: z.string(),
        electron: z.string(),
        chromium: z.string(),
        home: z.string(),
        platform: z.string(),
        logFolder: z.string(),
      }),
    },
    /** Empty before the first start has been answered. */
    getRoles: { input: emptySchema, output: z.object({ roles: z.array(serviceRoleSchema) }) },
    /** Starts and stops services to match. */
    setRoles: {
      input: z.object({ roles: z.array(serviceRoleSchema) }),
      output: z.object({ roles: z.array(serviceRoleSchema) }),
    },
    listServices: { input: emptySchema, output: z.object({ services: rowList(supervisedServiceSchema) }) },
    /** Starts a service that is stopped or failed. */
    startService: { input: z.object({ role: serviceRoleSchema }), output: supervisedServiceSchema },
    getPreferences: { input: emptySchema, output: preferencesSchema },
    setPreferences: { input: preferencesSchema.partial(), output: preferencesSchema },
    /** Native dialog; null when it was canceled. */
    chooseFolder: {
      input: z.object({ title: z.string().max(200) }),
      output: z.object({ path: z.string().nullable() }),
    },
    chooseFile: {
      input: z.object({
        title: z.string().max(200),
        filters: z
          .array(z.object({ name: z.string(), extensions: z.array(z.string()) }))
          .max(10)
          .default([]),
      }),
      output: z.object({ path: z.string().nullable() }),
    },
    /** Native save dialog, then writes the text; null when it was canceled. */
    saveText: {
      input: z.object({
        title: z.string().max(200),
        suggestedName: z.string().max(200),
        text: z.string().max(6 * 1024 * 1024),
      }),
      output: z.object({ path: z.string().nullable() }),
    },
    readTextFile: {
      input: z.object({ path: z.string().min(1).max(4096) }),
      /** At most 6 MiB, as much as trust.importHosts takes; only paths that chooseFile returned. */
      output: z.object({ text: z.string() }),
    },
    copyText: { input: z.object({ text: z.string().max(1_000_000) }), output: emptySchema },
    /** Native save dialog, then writes a zip; path null when the dialog was canceled. Tells `diagnosticsProgressed` meanwhile. */
    exportDiagnostics: {
      input: z.object({ title: z.string().max(200) }),
      output: z.object({
        path: z.string().nullable(),
        sizeBytes: bytesSchema,
        failedSteps: z.array(diagnosticsStepNameSchema),
      }),
    },
    showLogFiles: { input: emptySchema, output: emptySchema },
    /** Makes a small folder of sample documents below the home and returns its path; keeps one that exists. */
    prepareSample: { input: emptySchema, output: z.object({ sourcePath: z.string(), repositoryPath: z.string() }) },
    openExternal: { input: z.object({ url: z.url() }), output: emptySchema },
    quit: { input: emptySchema, output: emptySchema },
    /** The answer to `closeRequested`. `remember` saves it as the preference. */
    answerClose: {
      input: z.object({ answer: z.enum(['keep-running', 'stop', 'cancel']), remember: z.boolean().default(false) }),
      output: emptySchema,
    },
  },
  events: {
    serviceChanged: { payload: supervisedServiceSchema },
    rolesChanged: { payload: z.object({ roles: z.array(serviceRoleSchema) }) },
    /** The window wants to close while sessions run; the renderer asks the person. */
    closeRequested: { payload: z.object({ runningSessions: z.int() }) },
    diagnosticsProgressed: { payload: z.object({ step: diagnosticsStepNameSchema }) },
    /** A desktop notification or the tray was clicked. */
    navigationRequested: { payload: z.object({ page: z.string() }) },
  },
});
