// Owns which addresses may be opened in the person's browser: an allow-list of hosts, https only.

/** Standards that the console refers to, and the runtimes it names in About. */
const allowedHosts = new Set(['www.rfc-editor.org', 'www.electronjs.org', 'nodejs.org']);

/** @returns the address in its normal form, or undefined when it must not be opened */
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
