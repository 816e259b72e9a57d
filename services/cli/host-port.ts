// Owns addresses as people write them on the command line.
import { isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { defaultPorts } from '../contracts/default-ports.ts';
import { usageError } from './quantities.ts';

/** "gw1.a.test:6180", "gw1.a.test" (port 6180), "[::1]:6180"; "bücher.test" becomes its A-label, as in certificates and on the wire. */
export function parseHostPort(
  text: string,
  option: string,
  defaultPort: number = defaultPorts.gateway.gateway,
): { host: string; port: number } {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text);
  const typed = match?.[1] ?? match?.[2];
  const isInternational = typed !== undefined && /[^\u0020-\u007e]/u.test(typed);
  const host = isInternational ? domainToASCII(typed) || undefined : typed;
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  const isAddress = match?.[1] === undefined || isIPv6(match[1]);
  if (host === undefined || !isAddress || port < 1 || port > 65_535) {
    throw usageError(
      `"${text}" is not an address`,
      `Write ${option} like gw1.example:6180 or [2001:db8::1]:6180.`,
      option,
    );
  }
  return { host, port };
}
