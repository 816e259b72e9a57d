// Owns connecting to a listener and the client's side of a TLS handshake: time limits, canceling, and the error for each kind of failure.
// Must not judge certificates; the caller does.
import { describeSocketFailure } from './socket-failure.ts';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';

import { Deadline } from '../kernel/deadline.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { shieldFromPeer } from '../kernel/tls-peer.ts';

/** @throws FarkeepError `gateway.unreachable`, `call.canceled` */
export function connectGateway({
  host,
  port,
  timeoutMs,
  signal,
}: {
  host: string;
  port: number;
  timeoutMs: number;
  signal?: AbortSignal;
}): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(new FarkeepError('call.canceled'));
      return;
    }
    const hint = `Check name, port and firewall; TCP ${port} must be open.`;
    const socket = connectTcp({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 });
    const fail = (error: FarkeepError): void => {
      cleanUp();
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    const onError = (error: NodeJS.ErrnoException): void =>
      fail(
        new FarkeepError('gateway.unreachable', describeSocketFailure(`Gateway ${host}:${port}`, error), {
          hint,
          cause: error,
        }),
      );
    const deadline = new Deadline({ limitMs: timeoutMs, signal }, (reason) =>
      fail(
        reason === 'aborted'
          ? new FarkeepError('call.canceled')
          : new FarkeepError('gateway.unreachable', `Gateway ${host}:${port} did not answer within ${timeoutMs} ms`, {
              hint,
            }),
      ),
    );
    const cleanUp = (): void => {
      deadline.stop();
      socket.removeListener('error', onError);
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      cleanUp();
      resolve(socket);
    });
  });
}

/**
 * Runs the handshake over `raw`; destroys `raw` when the handshake fails.
 * @throws FarkeepError `tls.version`, `tls.group`, `tls.failed`, `gateway.provider-unreachable` (closed or silent before its first byte),
 *   `call.canceled`
 */
export function runHandshake(
  raw: Socket,
  {
    target,
    timeoutMs,
    signal,
    options,
  }: { target: string; timeoutMs: number; signal: AbortSignal | undefined; options: ConnectionOptions },
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    // The listener stays after the handshake: without a listener a later error would end the process.
    raw.on('error', () => undefined);
    if (signal?.aborted === true) {
      raw.destroy();
      reject(new FarkeepError('call.canceled'));
      return;
    }
    const secure = connectTls({ ...options, socket: raw });
    // A caller that judges the certificate reads it with `peerChain`. Node's own certificate object can crash the process on an attacker's
    // certificate.
    if (options.rejectUnauthorized === false) shieldFromPeer(secure);
    secure.on('error', () => undefined);
    const fail = (error: FarkeepError): void => {
      cleanUp();
      secure.destroy();
      raw.destroy();
      reject(error);
    };
    const onError = (error: NodeJS.ErrnoException): void => fail(explainFailure(error, raw, target));
    const onClose = (): void => fail(explainFailure(undefined, raw, target));
    const onSecure = (): void => {
      cleanUp();
      resolve(secure);
    };
    const late = (): FarkeepError =>
      raw.bytesRead === 0
        ? new FarkeepError(
            'gateway.provider-unreachable',
            `${target} accepted the connection but sent no answer within ${timeoutMs} ms`,
          )
        : new FarkeepError('tls.failed', `The TLS handshake with ${target} did not end within ${timeoutMs} ms`);
    const deadline = new Deadline({ limitMs: timeoutMs, signal }, (reason) =>
      fail(reason === 'aborted' ? new FarkeepError('call.canceled') : late()),
    );
    const cleanUp = (): void => {
      deadline.stop();
      secure.removeListener('error', onError);
      secure.removeListener('close', onClose);
      secure.removeListener('secureConnect', onSecure);
    };
    secure.once('secureConnect', onSecure);
    secure.once('error', onError);
    secure.once('close', onClose);
  });
}

function explainFailure(error: NodeJS.ErrnoException | undefined, raw: Socket, target: string): FarkeepError {
  const code = error?.code ?? '';
  const cause = error === undefined ? {} : { cause: error };
  if (
    code === 'ERR_SSL_UNSUPPORTED_PROTOCOL' ||
    code.includes('PROTOCOL_VERSION') ||
    code === 'ERR_SSL_INAPPROPRIATE_FALLBACK'
  ) {
    return new FarkeepError('tls.version', `${target} only speaks TLS 1.2 or older; refusing to fall back`, cause);
  }
  // RFC 8446, 4.1.1: a server without a common group answers with handshake_failure.
  if (
    code === 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE' ||
    code === 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE' ||
    code === 'ERR_SSL_WRONG_CURVE' ||
    code === 'ERR_SSL_BAD_KEY_SHARE'
  ) {
    return new FarkeepError(
      'tls.group',
      `${target} has no key agreement group in common with this side (${code})`,
      cause,
    );
  }
  if (code.startsWith('ERR_SSL'))
    return new FarkeepError('tls.failed', `The TLS handshake with ${target} failed: ${code}`, cause);
  if (raw.bytesRead === 0) {
    return new FarkeepError(
      'gateway.provider-unreachable',
      `${target} closed the connection before the provider answered`,
      cause,
    );
  }
  return new FarkeepError(
    'tls.failed',
    `${target} interrupted the TLS handshake${code === '' ? '' : ` (${code})`}`,
    cause,
  );
}
