// Owns which addresses the user's browser may open: an allow-list of hosts, https only.

/** Hosts of standards that the console refers to, and of the runtimes in the About dialog. */
const allowedHosts = new Set(['www.rfc-editor.org', 'www.electronjs.org', 'nodejs.org']);

/** @returns the address in its normal form, or undefined if the browser must not open it */
export function allowedExternalAddress(address: string): string | undefined {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return undefined;
  }
  const isPlain = url.username === '' && url.password === '' && url.port === '';
  return url.protocol === 'https:' && isPlain && allowedHosts.has(url.hostname) ? url.href : undefined;
}
