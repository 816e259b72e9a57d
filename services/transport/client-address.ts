// Owns the text form of a client's address and the key under which connections of a client are counted. Must not look up names.
import { isIPv6, type Socket } from 'node:net';

/** "::ffff:192.0.2.1" means 192.0.2.1 on a socket for both address families. */
export function normalizeAddress(address: string | undefined): string {
  const text = address ?? '';
  return text.toLowerCase().startsWith('::ffff:') && text.includes('.') ? text.slice(7) : text;
}

/**
 * The key under which a client is counted: an IPv4 address, or the /64 of an IPv6 address, since one client can use all addresses of a /64.
 */
export function countingKey(address: string | undefined): string {
  const normal = normalizeAddress(address);
  if (!isIPv6(normal)) return normal;
  const [head = '', tail] = (normal.split('%', 1)[0] ?? '').split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array.from({ length: missing }, () => '0'), ...after];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** Key of a connection. A TLS socket and the socket below it have the same addresses and ports, so one can be found from the other. */
export function connectionKey(socket: Socket): string {
  return `${socket.remoteAddress ?? ''}|${socket.remotePort ?? 0}|${socket.localPort ?? 0}`;
}
