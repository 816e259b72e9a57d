// Owns the answers of the domain `console`: roles, services, preferences, and the desktop functions that a page may use.
import { mkdir } from 'node:fs/promises';
import { clipboard, nativeTheme, shell } from 'electron';
import type { DomainHandlers, EventPublisher, ServiceRole } from '../../services/contracts/contract.ts';
import { consoleDomain } from '../../services/contracts/rpc/console.ts';
import { diagnosticsSteps } from '../../services/diagnostics/diagnostics-steps.ts';
import { writeDiagnostics } from '../../services/diagnostics/write-diagnostics.ts';
import { FarkeepError } from '../../services/kernel/farkeep-error.ts';
import { changeSettings, readNetwork, requireNetworkSettings } from '../../services/host/settings/network-settings.ts';
import { checkAddress } from '../../services/host/settings/address-check.ts';
import { productVersion } from './product-version.ts';
import { allowedExternalAddress } from './security/external-links.ts';
import type { AutostartManager } from './services/autostart.ts';
import { infoCall, serviceSettings } from './services/service-settings.ts';
import type { Supervisor } from './services/supervisor.ts';
import type { SettingsStore } from './settings/settings-store.ts';
import type { FileDialogs } from './shell/file-dialogs.ts';
import { prepareSample } from './shell/sample-folder.ts';

export interface ConsoleHandlersOptions {
  readonly home: string;
  readonly logFolder: string;
  readonly settings: SettingsStore;
  readonly supervisor: Supervisor;
  readonly autostart: AutostartManager;
  /** Resolves when the roles of services that run already are known. */
  readonly rolesKnown: Promise<void>;
  readonly dialogs: FileDialogs;
  readonly publish: EventPublisher;
  readonly setZoom: (factor: number) => void;
  /** The user chose Exit. */
  readonly exitWanted: () => void;
  readonly answerClose: (answer: 'keep-running' | 'stop' | 'cancel') => void;
}

const stopDeadlineMs = 15_000;

export function consoleHandlers(options: ConsoleHandlersOptions): DomainHandlers<typeof consoleDomain> {
  const { home, settings, supervisor, autostart, dialogs, publish } = options;
  /** A service that another program started would run with other arguments here. Units read the same file. */
  const canRestart = async (role: ServiceRole): Promise<boolean> => {
    const { origin, pid } = supervisor.find(role);
    if (origin === 'started' || pid === null) return true;
    return (await autostart.describe()).units.some((unit) => unit.role === role && unit.isOn);
  };
  const sources = (signal: AbortSignal): ReturnType<typeof serviceSettings> =>
    serviceSettings(home, supervisor, signal);
  return {
    info: () => ({
      version: productVersion,
      electron: process.versions.electron,
      chromium: process.versions.chrome,
      home,
      platform: process.platform,
      logFolder: options.logFolder,
    }),
    async getRoles() {
      await options.rolesKnown;
      return { roles: settings.read().roles };
    },
    async setRoles({ roles }) {
      const wanted = [...new Set(roles)];
      const { roles: before, attachedRoles } = settings.read();
      settings.update({ roles: wanted, attachedRoles: attachedRoles.filter((role) => wanted.includes(role)) });
      publish(consoleDomain, 'rolesChanged', { roles: wanted });
      for (const role of wanted) if (!before.includes(role) || !isUp(supervisor, role)) supervisor.start(role);
      await Promise.all(
        before.filter((role) => !wanted.includes(role)).map((role) => supervisor.leave(role, stopDeadlineMs)),
      );
      return { roles: wanted };
    },
    listServices: () => ({ services: supervisor.list() }),
    async startService({ role }) {
      if (!settings.read().roles.includes(role)) {
        throw new FarkeepError('call.refused', `This computer is not set up as a ${role}`, {
          hint: 'Switch the role on in Options first.',
        });
      }
      if (await autostart.startUnit(role)) supervisor.start(role);
      else supervisor.startHere(role);
      return supervisor.find(role);
    },
    async stopService({ role }) {
      await supervisor.stop(role, stopDeadlineMs);
      return supervisor.find(role);
    },
    getAutostart: () => autostart.describe(),
    async setAutostart({ role, isOn }) {
      const warning = await autostart.set(role, isOn);
      return { ...(await autostart.describe()), warning };
    },
    getNetwork: async (_input, { signal }) => readNetwork((await sources(signal)).files),
    async setNetwork({ role, settings: changes }, { signal }) {
      requireNetworkSettings(role, changes);
      const { files, flagSettings } = await sources(signal);
      await changeSettings({ role, file: files[role], changes, flagSettings: flagSettings[role] });
      const isRestarted = settings.read().roles.includes(role) && (await canRestart(role));
      if (isRestarted) {
        await supervisor.stop(role, stopDeadlineMs);
        if (await autostart.startUnit(role)) supervisor.start(role);
        else supervisor.startHere(role);
        // The call is answered when the service has started or has failed.
        await supervisor.call(role, infoCall, signal);
      }
      return { network: await readNetwork(files), service: supervisor.find(role), isRestarted };
    },
    checkAddress: ({ role, use, host, port }, { signal }) =>
      checkAddress({ use, host, port, ownListeners: Object.values(supervisor.find(role).listeners), signal }),
    getPreferences: () => settings.read().preferences,
    setPreferences: (change) => {
      const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
      const { preferences } = settings.update({ preferences: { ...settings.read().preferences, ...given } });
      nativeTheme.themeSource = preferences.theme;
      if (change.zoom !== undefined) options.setZoom(preferences.zoom);
      return preferences;
    },
    chooseFolder: async ({ title }) => ({ path: await dialogs.chooseFolder(title) }),
    chooseFile: async ({ title, filters }) => ({ path: await dialogs.chooseFile(title, filters) }),
    saveText: async ({ title, suggestedName, text }) => ({ path: await dialogs.saveText(title, suggestedName, text) }),
    readTextFile: async ({ path }) => ({ text: await dialogs.readChosenText(path) }),
    async copyText({ text }) {
      // In Electron 25 `writeText` returns nothing. In later versions `writeText` returns a promise.
      await clipboard.writeText(text);
      return {};
    },
    async exportDiagnostics({ title }, { signal }) {
      const day = new Date().toISOString().slice(0, 10);
      const path = await dialogs.chooseSavePath(title, `farkeep-diagnostics-${day}.zip`);
      if (path === null) return { path, sizeBytes: 0, failedSteps: [] };
      const { electron, chrome } = process.versions;
      const { sizeBytes, failedSteps } = await writeDiagnostics({
        steps: diagnosticsSteps({
          home,
          logFolder: options.logFolder,
          versions: { farkeep: productVersion, electron, chromium: chrome },
          settings: settings.read(),
          processes: () => supervisor.list(),
          ask: async (role, call, within) => {
            const result = await supervisor.call(role, call, within);
            if (!result.ok) throw FarkeepError.fromInfo(result.error);
            return result.value;
          },
        }),
        file: path,
        signal,
        onStep: (step) => publish(consoleDomain, 'diagnosticsProgressed', { step }),
      });
      return { path, sizeBytes, failedSteps: [...failedSteps] };
    },
    async showLogFiles() {
      await mkdir(options.logFolder, { recursive: true });
      const problem = await shell.openPath(options.logFolder);
      if (problem !== '') {
        throw new FarkeepError('call.internal', `The folder ${options.logFolder} could not be opened: ${problem}`, {
          hint: 'Open it in a file manager.',
        });
      }
      return {};
    },
    prepareSample: () => prepareSample(home),
    async openExternal({ url }) {
      const address = allowedExternalAddress(url);
      if (address === undefined)
        throw new FarkeepError('call.refused', 'This address is not on the list of allowed ones');
      await shell.openExternal(address);
      return {};
    },
    quit() {
      options.exitWanted();
      return {};
    },
    answerClose({ answer, remember }) {
      if (remember && answer !== 'cancel') {
        const keepRunningInTray = answer === 'keep-running' ? 'always' : 'never';
        settings.update({ preferences: { ...settings.read().preferences, keepRunningInTray } });
      }
      options.answerClose(answer);
      return {};
    },
  };
}

function isUp(supervisor: Supervisor, role: ServiceRole): boolean {
  return ['starting', 'running', 'degraded', 'awaited'].includes(supervisor.find(role).state);
}
