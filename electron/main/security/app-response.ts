// Owns the answers on app://console/: the files of the built renderer, each with the content security policy, and no other file. Does not
// use Electron.
import { readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { contentSecurityPolicy, createNonce, noncePlaceholder } from './content-security-policy.ts';

export const appScheme = 'app';
export const appHost = 'console';
export const appOrigin = `${appScheme}://${appHost}`;
export const startAddress = `${appOrigin}/index.html`;

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};

/**
 * Returns the path on disk for an address below app://console/. Returns undefined for everything else: another host, an encoded separator,
 * a NUL, a path that leaves the folder, a file type that is not served.
 */
export function resolveAppPath(address: string, folder: string): string | undefined {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return undefined;
  }
  if (url.protocol !== `${appScheme}:` || url.host !== appHost || url.username !== '' || url.password !== '')
    return undefined;
  let name: string;
  try {
    name = decodeURIComponent(url.pathname);
  } catch {
    return undefined;
  }
  // The name of a built file never contains a decoded separator, a drive letter or a NUL. An address with one of them is an attack.
  if (/[\0\\:]/.test(name) || /%2f|%5c|%00/i.test(url.pathname)) return undefined;
  const file = path.resolve(folder, `.${name}`);
  if (!isInside(file, folder)) return undefined;
  return contentTypes[path.extname(file)] === undefined ? undefined : file;
}

function isInside(file: string, folder: string): boolean {
  const relative = path.relative(folder, file);
  return relative !== '' && !relative.startsWith('..') && !path.isAbsolute(relative);
}

export interface AppResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
}

const baseHeaders = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

/** Answers one request. Does not use Electron. */
export async function answerAppRequest(method: string, address: string, folder: string): Promise<AppResponse> {
  const nonce = createNonce();
  const headers = { ...baseHeaders, 'Content-Security-Policy': contentSecurityPolicy(nonce) };
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, headers, body: '' };
  const file = resolveAppPath(address, folder);
  if (file === undefined) return { status: 404, headers, body: '' };
  try {
    // A link inside the folder must not lead out of it.
    const [realFile, realFolder] = await Promise.all([realpath(file), realpath(folder)]);
    if (!isInside(realFile, realFolder)) return { status: 404, headers, body: '' };
    const content = await readFile(realFile);
    const extension = path.extname(file);
    const typed = { ...headers, 'Content-Type': contentTypes[extension] ?? 'application/octet-stream' };
    const body = extension === '.html' ? content.toString('utf8').replaceAll(noncePlaceholder, nonce) : content;
    return { status: 200, headers: typed, body };
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EISDIR')) {
      return { status: 404, headers, body: '' };
    }
    throw error;
  }
}
