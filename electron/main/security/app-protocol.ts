// Owns the scheme app://console/ in Electron: the only origin that the renderer is loaded from.
import { protocol } from 'electron';
import type { Logger } from '../../../services/kernel/logger.ts';
import { answerAppRequest, appScheme } from './app-response.ts';

/** Must be called before the app is ready. */
export function declareAppScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: appScheme, privileges: { standard: true, secure: true, supportFetchAPI: false, corsEnabled: false } },
  ]);
}

/** Serves `folder` as app://console/ in the default session. */
export function serveApp(folder: string, logger: Logger): void {
  protocol.handle(appScheme, async (request) => {
    const { status, headers, body } = await answerAppRequest(request.method, request.url, folder);
    if (status !== 200) logger.warn('refused an address', { status, address: request.url });
    return new Response(body, { status, headers });
  });
}
