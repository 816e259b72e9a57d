// Owns the policy that the renderer runs under: nothing from outside, no inline script, styles only from us. Sent as a header with every
// document, so that a page cannot weaken it.
import { randomBytes } from 'node:crypto';

/** Placeholder that the renderer's build puts wherever a nonce belongs; replaced for every load. */
export const noncePlaceholder = '__CSP_NONCE__';

export function createNonce(): string {
  return randomBytes(18).toString('base64');
}

/** @param nonce allows the style elements that the UI library makes at run time; scripts never need one */
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
