// Domain served by the Electron main process: roles, services, preferences, and the desktop functions that the renderer may use.
import { z } from 'zod';
import { defineDomain } from '../contract.ts';
import { addressCheckSchema, addressUseSchema, listenPortSchema, networkSchema } from '../models/network.ts';
import { serviceRoleSchema, supervisedServiceSchema } from '../models/service.ts';
import { bytesSchema, emptySchema, hostSchema } from '../models/values.ts';
import { rowList } from '../row-list.ts';

/** A person's settings for a table; stored for each table, by the name of its page. */
export const tableLookSchema = z.object({
  sort: z.object({ columnId: z.string().max(60), direction: z.enum(['ascending', 'descending']) }).nullable(),
  /** Pixels, by column; an absent column has its default width. */
  widths: z.record(z.string().max(60), z.int().min(40).max(2000)),
  /** Columns that the person has hidden. Absent in settings of earlier versions. */
  hidden: z.array(z.string().max(60)).max(60).optional(),
});
export type TableLook = z.infer<typeof tableLookSchema>;

export const preferencesSchema = z.object({
  theme: z.enum(['system', 'light', 'dark']),
  /** Page to open at start, as in the navigation. */
  lastPage: z.string().max(100),
  areNotificationsOn: z.object({ finished: z.boolean(), failed: z.boolean(), security: z.boolean() }),
  keepRunningInTray: z.enum(['ask', 'always', 'never']),
  tables: z.record(z.string().max(60), tableLookSchema),
  /** Factor of the size of everything in the window. */
  zoom: z.number().min(0.5).max(2),
});
export type Preferences = z.infer<typeof preferencesSchema>;

/** How one service starts with the computer: a systemd unit. */
export const serviceUnitSchema = z.object({
  role: serviceRoleSchema,
  /** The unit exists and starts with the computer. */
  isOn: z.boolean(),
  /** Path and content of the unit. */
  file: z.string(),
  text: z.string(),
  /** What the console runs, in this order, for a person who does it by hand. */
  commands: z.array(z.string()),
});
export type ServiceUnit = z.infer<typeof serviceUnitSchema>;

export const autostartSchema = z.object({
  /** `login-item`: the console starts when the user logs in, and starts the services. `none`: only by hand. */
  method: z.enum(['systemd', 'login-item', 'none']),
  /** Why the console cannot write the units itself; null when it can. */
  reason: z.string().nullable(),
  isLoginItemOn: z.boolean(),
  /** Empty without systemd. */
  units: z.array(serviceUnitSchema),
});
export type Autostart = z.infer<typeof autostartSchema>;

/** Parts of the diagnostics, in the order of the archive. */
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
    /** Empty until the user has answered the first-start question. */
    getRoles: { input: emptySchema, output: z.object({ roles: z.array(serviceRoleSchema) }) },
    /** Sets the roles of this computer, and starts and stops services accordingly. */
    setRoles: {
      input: z.object({ roles: z.array(serviceRoleSchema) }),
      output: z.object({ roles: z.array(serviceRoleSchema) }),
    },
    listServices: { input: emptySchema, output: z.object({ services: rowList(supervisedServiceSchema) }) },
    /** Starts a service that is stopped or failed, or starts one here in place of a service that is awaited. */
    startService: { input: z.object({ role: serviceRoleSchema }), output: supervisedServiceSchema },
    /** Ends a service in order, also one that another program started. */
    stopService: { input: z.object({ role: serviceRoleSchema }), output: supervisedServiceSchema },
    getAutostart: { input: emptySchema, output: autostartSchema },
    /**
     * Switches the start with the computer on or off. `role` names the unit, null is the login item. With a unit, the console stops its own
     * service and attaches to the service of the unit. `warning` says what else is needed.
     */
    setAutostart: {
      input: z.object({ role: serviceRoleSchema.nullable(), isOn: z.boolean() }),
      output: autostartSchema.extend({ warning: z.string().nullable() }),
    },
    /** The network settings of all roles. Works also for a service that cannot start. */
    getNetwork: { input: emptySchema, output: networkSchema },
    /**
     * Writes settings of one role, by the names of `networkSettings`, into the configuration file of its service, and starts the service
     * again, unless another program started it. null removes a setting. Errors name the setting (`control.port`). `service`: its state after
     * the start.
     */
    setNetwork: {
      input: z.object({ role: serviceRoleSchema, settings: z.record(z.string().max(60), z.unknown()) }),
      output: z.object({ network: networkSchema, service: supervisedServiceSchema, isRestarted: z.boolean() }),
    },
    /** Tries to listen at an address, or to connect to it. */
    checkAddress: {
      input: z.object({ role: serviceRoleSchema, use: addressUseSchema, host: hostSchema, port: listenPortSchema }),
      output: addressCheckSchema,
    },
    getPreferences: { input: emptySchema, output: preferencesSchema },
    setPreferences: { input: preferencesSchema.partial(), output: preferencesSchema },
    /** Opens a native dialog. The path is null when the user canceled the dialog. */
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
    /** Opens a native save dialog, then writes the text. The path is null when the user canceled the dialog. */
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
      /** At most 6 MiB, the limit of trust.importHosts; only for paths that chooseFile returned. */
      output: z.object({ text: z.string() }),
    },
    copyText: { input: z.object({ text: z.string().max(1_000_000) }), output: emptySchema },
    /** Native save dialog, then writes a zip; path null when the dialog was canceled. Sends `diagnosticsProgressed` meanwhile. */
    exportDiagnostics: {
      input: z.object({ title: z.string().max(200) }),
      output: z.object({
        path: z.string().nullable(),
        sizeBytes: bytesSchema,
        failedSteps: z.array(diagnosticsStepNameSchema),
      }),
    },
    showLogFiles: { input: emptySchema, output: emptySchema },
    /** Makes a small folder of sample documents below the home and returns its path. Keeps an existing folder. */
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
    /** The console was asked to close while its services work for others or sessions run; the renderer must ask the user. */
    closeRequested: {
      payload: z.object({
        runningSessions: z.int(),
        /** Roles of the services that an exit stops. A service that another program started runs on. */
        stoppingRoles: z.array(serviceRoleSchema).default([]),
      }),
    },
    diagnosticsProgressed: { payload: z.object({ step: diagnosticsStepNameSchema }) },
    /** The user clicked a desktop notification or the tray icon. */
    navigationRequested: { payload: z.object({ page: z.string() }) },
  },
});
