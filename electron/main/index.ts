// Entry of the console's main process: finds the folders, allows one console for each home, then starts the app. Must not do other work.
import '../../services/contracts/zod-setup.ts';
import path from 'node:path';
import { app, dialog } from 'electron';
import { defaultHome } from '../../services/kernel/state/home-folder.ts';
import { openConsole, type ConsoleApp } from './console-app.ts';
import { openConsoleLog } from './console-log.ts';
import { installLayout } from './install-layout.ts';
import { declareAppScheme } from './security/app-protocol.ts';
import { guardContents } from './security/session-guards.ts';
import { openSettings } from './settings/settings-store.ts';
import { canUseConsoleFolder, explainForbiddenHome } from './shell/home-access.ts';

const home = defaultHome();
const consoleFolder = path.join(home, 'console');

app.setName('Farkeep');
app.setPath('userData', path.join(consoleFolder, 'browser'));
// Root cannot use Chromium's process sandbox (scripts/start.mjs prints this). The window still sets `sandbox: true`.
if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox();
declareAppScheme();

const log = openConsoleLog(consoleFolder);
guardContents(app, log.logger);

process.on('uncaughtException', (error) => fail('An unforeseen error', error));
process.on('unhandledRejection', (error) => fail('An unforeseen error', error));

let opened: ConsoleApp | undefined;
if (!canUseConsoleFolder(consoleFolder)) {
  app.whenReady().then(refuse, (error: unknown) => fail('Electron did not start', error));
  // The lock is in userData, so there is one console for each home.
} else if (app.requestSingleInstanceLock()) {
  app.on('second-instance', () => opened?.reveal());
  app.whenReady().then(start, (error: unknown) => fail('Electron did not start', error));
} else {
  process.stderr.write(`A console for ${home} is open already; it comes to the front.\n`);
  app.exit(0);
}

function start(): void {
  try {
    opened = openConsole({
      home,
      layout: installLayout(__dirname, app.isPackaged && !isCheckout() ? process.resourcesPath : undefined),
      log,
      settings: openSettings(consoleFolder),
      isDevelopment: isCheckout(),
    });
  } catch (error) {
    fail('The console could not open', error);
  }
}

async function refuse(): Promise<void> {
  const reason = await explainForbiddenHome(home);
  process.stderr.write(`${reason}\n`);
  dialog.showErrorBox('Farkeep cannot use its home folder', reason);
  app.exit(1);
}

/** In a checkout the bundle is in build/console. Electron also reports "packaged" there if its executable has another name. */
function isCheckout(): boolean {
  return path.basename(path.dirname(path.dirname(__dirname))) === 'build';
}

/**
 * After such an error the state of the process is unknown. Logs the error and ends. The services see the closed channel and stop in order.
 */
function fail(what: string, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  log.logger.error(what, { error });
  process.stderr.write(`${what}: ${error instanceof Error ? (error.stack ?? reason) : reason}\n`);
  if (app.isReady()) dialog.showErrorBox('Farkeep has to close', `${what}: ${reason}\n\nThe log is in ${log.folder}.`);
  app.exit(1);
}
