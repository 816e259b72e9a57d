// Owns how the parts of the console are connected, and how the console ends: window, services, bridge, tray. The parts do the work.
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import path from 'node:path';
import { app, Menu, nativeTheme, session } from 'electron';
import { serviceRoles, type ServiceRole } from '../../services/contracts/contract.ts';
import { consoleDomain } from '../../services/contracts/rpc/console.ts';
import { connectAdmin } from '../../services/host/carriers/admin-client.ts';
import { createDispatcher, serveDomain } from '../../services/host/carriers/dispatcher.ts';
import { createEventHub } from '../../services/host/carriers/event-hub.ts';
import { UnitManager } from '../../services/host/units/unit-manager.ts';
import { consoleConfigFileOf } from '../../services/kernel/state/home-folder.ts';
import { systemClock } from '../../services/kernel/clock.ts';
import type { Logger } from '../../services/kernel/logger.ts';
import { passedEnvironment } from '../../services/process/environment.ts';
import { consoleHandlers } from './console-handlers.ts';
import type { ConsoleLog } from './console-log.ts';
import type { InstallLayout } from './install-layout.ts';
import { createCallRouter } from './ipc/call-router.ts';
import { openRendererBridge } from './ipc/renderer-bridge.ts';
import { serveApp } from './security/app-protocol.ts';
import { createKeychain } from './security/os-keychain.ts';
import { guardSession } from './security/session-guards.ts';
import { AutostartManager } from './services/autostart.ts';
import { Supervisor } from './services/supervisor.ts';
import type { SettingsStore } from './settings/settings-store.ts';
import { decideClose, decideExit, rolesThatStop, type CloseDecision, type CloseFacts } from './shell/close-decision.ts';
import { notifySessionEnd } from './shell/desktop-notifications.ts';
import { createFileDialogs } from './shell/file-dialogs.ts';
import { findLoginItem } from './shell/login-item.ts';
import { openMainWindow, type MainWindow } from './shell/main-window.ts';
import { createSessionWatch } from './shell/session-watch.ts';
import { createTrayIcon } from './shell/tray.ts';

export interface ConsoleAppOptions {
  readonly home: string;
  readonly layout: InstallLayout;
  readonly log: ConsoleLog;
  readonly settings: SettingsStore;
  readonly isDevelopment: boolean;
}

const quitDeadlineMs = 15_000;

export interface ConsoleApp {
  reveal(): void;
}

/** Call when Electron is ready. */
export function openConsole({ home, layout, log, settings, isDevelopment }: ConsoleAppOptions): ConsoleApp {
  const { logger } = log;
  guardSession(session.defaultSession, logger);
  serveApp(layout.rendererFolder, logger);
  useSystemMenu();
  nativeTheme.themeSource = settings.read().preferences.theme;

  const keychain = createKeychain(path.join(home, 'console'), logger);
  const supervisor = new Supervisor({
    programOf: (role) => {
      // Only the provider has private keys that tenants rely on. So only the provider service gets the key of the keychain.
      const keychainKey = role === 'provider' ? keychain() : undefined;
      return {
        executable: layout.nodeExecutable,
        args: [
          ...[layout.serviceEntry, role, ...configArguments(home, role)],
          ...(keychainKey === undefined ? [] : ['--keychain']),
        ],
        environment: { ...passedEnvironment(process.env), FARKEEP_HOME: home },
        keychainKey,
      };
    },
    connect: (role) => connectAdmin({ home, role }),
    isStartedElsewhere: (role) => settings.read().attachedRoles.includes(role),
    writeLogLine: (role, line) => log.writeServiceLine(role, line),
    logger,
    clock: systemClock,
  });
  const setStartedElsewhere = (role: ServiceRole, isElsewhere: boolean): void => {
    const { attachedRoles } = settings.read();
    if (attachedRoles.includes(role) === isElsewhere) return;
    const others = attachedRoles.filter((each) => each !== role);
    settings.update({ attachedRoles: isElsewhere ? [...others, role] : others });
  };
  const autostart = new AutostartManager({
    supervisor,
    roles: () => settings.read().roles,
    units: process.platform === 'linux' ? new UnitManager() : undefined,
    planOf: (units, role) => {
      const configFile = consoleConfigFileOf(home, role);
      return units.plan({
        ...{ role, home, nodeExecutable: layout.nodeExecutable, commandEntry: layout.commandEntry },
        configFile: existsSync(configFile) ? configFile : undefined,
      });
    },
    loginItem: findLoginItem(),
    setStartedElsewhere,
  });
  const sessions = createSessionWatch((ended, role) =>
    notifySessionEnd(ended, settings.read().preferences, () => {
      window.reveal();
      publish(consoleDomain, 'navigationRequested', { page: `${role}/sessions/${ended.id}` });
    }),
  );
  const events = createEventHub({ logger });
  const { publish } = events;

  let isQuitting = false;
  const quit = quitOnce(supervisor, logger, () => {
    isQuitting = true;
  });
  const tray = createTrayIcon({
    iconFile: layout.trayIconFile,
    onOpen: () => reveal(),
    onQuit: () => exitWanted(),
    logger,
  });
  const window: MainWindow = openMainWindow({
    layout,
    settings,
    isDevelopment,
    allowClose: () => isQuitting,
    onCloseWanted: () => closeWanted(),
  });
  const reveal = (): void => {
    tray.hide();
    window.reveal();
  };
  const keepRunning = (): void => {
    tray.show();
    window.browserWindow.hide();
  };
  const closeFacts = (): CloseFacts => {
    const services = supervisor.list();
    return {
      services,
      runningSessions: sessions.runningCount(rolesThatStop(services)),
      preference: settings.read().preferences.keepRunningInTray,
      canAsk: !window.browserWindow.webContents.isCrashed(),
    };
  };
  const follow = (decision: CloseDecision): void => {
    if (decision.kind === 'exit') quit();
    else if (decision.kind === 'keep-running') keepRunning();
    else {
      reveal();
      const { runningSessions, stoppingRoles } = decision;
      publish(consoleDomain, 'closeRequested', { runningSessions, stoppingRoles: [...stoppingRoles] });
    }
  };
  const closeWanted = (): void => follow(decideClose(closeFacts()));
  const exitWanted = (): void => follow(decideExit(closeFacts()));
  const rolesKnown = adoptRunningServices(home, settings, logger);

  const dispatcher = createDispatcher({
    domains: [
      serveDomain(
        consoleDomain,
        consoleHandlers({
          home,
          logFolder: log.folder,
          settings,
          supervisor,
          autostart,
          rolesKnown,
          dialogs: createFileDialogs(() => window.browserWindow),
          publish,
          setZoom: (factor) => window.setZoom(factor),
          exitWanted,
          answerClose: (answer) => {
            if (answer === 'keep-running') keepRunning();
            else if (answer === 'stop') quit();
          },
        }),
      ),
    ],
    logger,
    clock: systemClock,
  });
  const bridge = openRendererBridge({
    router: createCallRouter({
      dispatcher,
      callService: (role, call, signal) => supervisor.call(role, call, signal),
      account: userInfo().username,
    }),
    logger,
    windows: () => (window.browserWindow.isDestroyed() ? [] : [window.browserWindow.webContents]),
  });

  events.subscribe(({ sequence, domain, event, payload }) =>
    bridge.send({ target: 'console', incarnation: 1, sequence, domain, event, payload }),
  );
  supervisor.onEvent((passing) => {
    sessions.observe(passing);
    const { sequence, domain, event, payload } = passing.event;
    bridge.send({ target: passing.role, incarnation: passing.incarnation, sequence, domain, event, payload });
  });
  supervisor.onStateChanged((service) => {
    if (service.pid === null) sessions.forget(service.role);
    // Only a service that runs shows who starts it.
    if (service.state === 'running') setStartedElsewhere(service.role, service.origin === 'attached');
    publish(consoleDomain, 'serviceChanged', service);
  });
  void rolesKnown.then(() => {
    if (!isQuitting) for (const role of settings.read().roles) supervisor.start(role);
  });

  // Ctrl-C in a terminal, a log-out, a shutdown of the computer: each of them stops the services first.
  app.on('before-quit', (event) => {
    if (isQuitting) return;
    event.preventDefault();
    quit();
  });
  app.on('window-all-closed', () => quit());
  logger.info('console is open', { electron: process.versions.electron, home: path.basename(home) });
  return { reveal };
}

/**
 * Returns the arguments that name the configuration file in the role's folder, if the file exists. In this file an administrator can choose
 * other ports.
 */
function configArguments(home: string, role: ServiceRole): string[] {
  const file = consoleConfigFileOf(home, role);
  return existsSync(file) ? ['--config', file] : [];
}

/**
 * At the first start, the roles are those of the services that run already: an admin who follows the README for servers starts them before
 * the console.
 */
async function adoptRunningServices(home: string, settings: SettingsStore, logger: Logger): Promise<void> {
  if (settings.read().roles.length > 0) return;
  const found = await Promise.all(
    serviceRoles.map(async (role) => {
      try {
        (await connectAdmin({ home, role })).close();
        return [role];
      } catch {
        return [];
      }
    }),
  );
  const roles = found.flat();
  if (roles.length === 0 || settings.read().roles.length > 0) return;
  logger.info('services run already', { roles });
  settings.update({ roles });
}

/** Stops the services that the console started in an orderly way, then ends the process. Safe to call twice. */
function quitOnce(supervisor: Supervisor, logger: Logger, onBegin: () => void): () => void {
  let isBegun = false;
  return () => {
    if (isBegun) return;
    isBegun = true;
    logger.info('console is closing');
    supervisor
      .leaveAll(quitDeadlineMs)
      .catch((error: unknown) => logger.error('services did not stop in an orderly way', { error }))
      .finally(() => {
        onBegin();
        app.quit();
      });
  };
}

/** No menu bar: all commands are in the window. macOS needs a menu for copy and paste, so it gets a minimal one. */
function useSystemMenu(): void {
  const macMenu = Menu.buildFromTemplate([{ role: 'appMenu' }, { role: 'editMenu' }, { role: 'windowMenu' }]);
  Menu.setApplicationMenu(process.platform === 'darwin' ? macMenu : null);
}
