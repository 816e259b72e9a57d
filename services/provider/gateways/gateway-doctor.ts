// Owns the check of one gateway from outside, as a tenant sees it: port, TLS handshake through it up to the certificate, names.
// Sends only a ClientHello, and never logs in.
import { instantText } from '../../contracts/models/instant-text.ts';
import type { z } from 'zod';
import { reachProblems, type ProviderAddresses } from '../../contracts/address-reach.ts';
import type { gatewayCheckSchema } from '../../contracts/models/provider.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import { thumbprintOf } from '../../pki/certificate/thumbprint.ts';
import { connectControl, type PresentedCertificate } from '../../transport/control-client.ts';
import type { GatewayRow } from '../state/gateway-store.ts';
import { describeProblem } from './provider-reach.ts';

type GatewayCheck = z.infer<typeof gatewayCheckSchema>;

const timeoutMs = 5_000;

export interface DoctorOptions {
  readonly isConnected: boolean;
  /** The gateway runs on this computer. */
  readonly isHere: boolean;
  readonly provider: ProviderAddresses;
  readonly identity: {
    readonly sha256: string;
    /** Whether tenants can use a gateway of this name. */
    covers(host: string): boolean;
    /** Whether the certificate contains the name. */
    names(host: string): boolean;
  };
  readonly signal: AbortSignal;
}

export async function checkGateway(row: GatewayRow, options: DoctorOptions): Promise<GatewayCheck[]> {
  const { isConnected, identity } = options;
  const checks: GatewayCheck[] = [];
  const add = (check: GatewayCheck['check'], outcome: GatewayCheck['outcome'], message: string, help = ''): void => {
    checks.push({ gateway: row.name, check, outcome, message, help });
  };
  if (row.enrolledAt === null) {
    add('enrolled', 'failed', 'The gateway is not enrolled yet', 'Start it with the enrollment token.');
  } else add('enrolled', 'ok', `Enrolled on ${instantText(row.enrolledAt)}`);
  addReach(add, options);
  if (isConnected) add('link', 'ok', 'The link is connected');
  else if (!row.isEnabled) add('link', 'warning', 'The gateway is disabled', 'Enable it to use it again.');
  else {
    add(
      'link',
      'failed',
      'The gateway is not connected to this provider',
      'Make sure that it is running and can reach the infrastructure port.',
    );
  }
  for (const { host, port } of row.addresses) {
    const address = `${host}:${port}`;
    const seen = await handshake(host, port, options.signal);
    if (seen.error?.code === 'gateway.unreachable') {
      add('port', 'failed', seen.error.message, `Check name, firewall and port forwarding of ${address}.`);
      add('handshake', 'not-checked', `${address} does not respond`);
    } else {
      add('port', 'ok', `${address} is reachable`);
      addHandshake(add, address, seen, identity.sha256);
    }
    if (identity.names(host)) add('name-covered', 'ok', `The certificate covers "${host}"`);
    else if (identity.covers(host)) {
      add(
        'name-covered',
        'ok',
        `The certificate does not contain the name "${host}". Tenants that pin the certificate can use this gateway`,
      );
    } else {
      add(
        'name-covered',
        'warning',
        `The certificate does not cover "${host}"; tenants that trust it by its chain do not use this gateway`,
        'Install a certificate that covers this name, or change the address of the gateway.',
      );
    }
  }
  return checks;
}

/** A gateway on another computer needs addresses of this provider that it can reach. */
function addReach(
  add: (check: GatewayCheck['check'], outcome: GatewayCheck['outcome'], message: string, help?: string) => void,
  { isHere, provider }: DoctorOptions,
): void {
  if (isHere) return;
  const problems = reachProblems(provider);
  if (problems.length === 0) add('provider-address', 'ok', 'No address for gateways is a loopback address');
  for (const problem of problems) {
    add(
      'provider-address',
      'failed',
      `No other computer can reach this provider: ${describeProblem(problem)}`,
      `Set "${problem.field}" in Options > Network or with "farkeep service set provider".`,
    );
  }
}

function addHandshake(
  add: (check: GatewayCheck['check'], outcome: GatewayCheck['outcome'], message: string, help?: string) => void,
  address: string,
  { presented, error }: Seen,
  ownSha256: string,
): void {
  if (presented === undefined) {
    add('handshake', 'failed', error?.message ?? 'No handshake', error?.hint ?? '');
    return;
  }
  const sha256 = thumbprintOf(presented.leafDer);
  if (sha256 === ownSha256) {
    const { version, group } = presented.tls;
    add('handshake', 'ok', `${version} with ${group}; it presents the certificate in service`);
  } else {
    add(
      'handshake',
      'failed',
      `${address} presents another certificate (${sha256})`,
      'Another program or another provider uses this address. Check address and port.',
    );
  }
}

interface Seen {
  readonly presented: PresentedCertificate | undefined;
  readonly error: FarkeepError | undefined;
}

async function handshake(host: string, port: number, signal: AbortSignal): Promise<Seen> {
  let presented: PresentedCertificate | undefined;
  const enough = new FarkeepError('call.canceled', 'Only the certificate was needed');
  try {
    await connectControl({
      host,
      port,
      serverName: host,
      timeoutMs,
      signal,
      decideTrust: (shown) => {
        presented = shown;
        return Promise.resolve({ isAccepted: false, error: enough });
      },
    });
    return { presented, error: undefined };
  } catch (error) {
    return { presented, error: error === enough ? undefined : toFarkeepError(error, 'connection.lost') };
  }
}
