// Owns the content security policy of the renderer: nothing from other origins, no inline script, styles only from us. Every document gets
// it as a header, so a page cannot weaken it.
import { randomBytes } from 'node:crypto';

/** Placeholder for the nonce. The renderer's build writes it, and the main process replaces it at every load. */
export const noncePlaceholder = '__CSP_NONCE__';

export function createNonce(): string {
  return randomBytes(18).toString('base64');
}

/** @param nonce allows the style elements that the UI library creates at run time. Scripts never need a nonce. */
export function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-src 'none'",
    "frame-ancestors 'none'",
    "object-src 'none'",
    "worker-src 'none'",
  ].join('; ');
}
