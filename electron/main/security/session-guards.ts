// Owns what no page may do, whatever the page contains: permissions, requests, navigation, windows, downloads, webviews. The default is
// refusal.
import type { App, Session } from 'electron';
import type { Logger } from '../../../services/kernel/logger.ts';
import { appOrigin, startAddress } from './app-response.ts';

/** A request to another origin is an attack or a defect. The devtools page belongs to the debugger, and is allowed in a checkout only. */
const allowedAddress = new RegExp(`^(${appOrigin}/|devtools://|data:image/|data:font/)`);

export function guardSession(session: Session, logger: Logger): void {
  session.setPermissionRequestHandler((_contents, permission, answer) => {
    logger.warn('refused a permission', { permission });
    answer(false);
  });
  session.setPermissionCheckHandler(() => false);
  session.setDevicePermissionHandler(() => false);
  session.webRequest.onBeforeRequest((details, answer) => {
    const isAllowed = allowedAddress.test(details.url);
    if (!isAllowed) logger.warn('refused a request', { address: details.url.slice(0, 200) });
    answer({ cancel: !isAllowed });
  });
  session.on('will-download', (event) => event.preventDefault());
  session.setSpellCheckerEnabled(false);
}

export function guardContents(app: App, logger: Logger): void {
  app.on('web-contents-created', (_event, contents) => {
    contents.on('will-navigate', (event, address) => {
      if (address === startAddress) return;
      event.preventDefault();
      logger.warn('refused a navigation', { address: address.slice(0, 200) });
    });
    contents.on('console-message', (details: unknown, ...older: unknown[]) => {
      const text = pageMessage(details, older);
      if (text !== undefined) logger.warn('the page reports', { text });
    });
    contents.on('will-redirect', (event) => event.preventDefault());
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.setWindowOpenHandler(({ url }) => {
      logger.warn('refused a window', { address: url.slice(0, 200) });
      return { action: 'deny' };
    });
  });
}

/**
 * Returns the text of a page's warning or error, for example of a policy violation. Electron 35 moved all values into the first argument.
 * Before, level (0 to 3) and text were separate arguments.
 */
function pageMessage(details: unknown, [olderLevel, olderText]: unknown[]): string | undefined {
  const { level, message } = details as { level?: unknown; message?: unknown };
  const isBad = level === 'warning' || level === 'error' || (typeof olderLevel === 'number' && olderLevel >= 2);
  const text = typeof message === 'string' ? message : olderText;
  return isBad && typeof text === 'string' ? text.slice(0, 1_000) : undefined;
}
