// A service process for tests of the supervisor. It uses the carrier, and fails as the environment variable MODE says. It is a real
// process, because the tests are about signals, exit codes, pipes and channels.
import { existsSync, writeFileSync } from 'node:fs';
import type { KeychainMessage, MessageFromService, MessageToService } from '../../services/contracts/carrier.ts';

const mode = process.env['MODE'] ?? 'well';
let handedOver = '';
const marker = process.env['MARKER'] ?? '';

const send = (message: MessageFromService): void => {
  process.send?.(message);
};
const ready = (): void => {
  send({ kind: 'ready', role: 'tenant', pid: process.pid, version: '0', listeners: { control: '127.0.0.1:1' } });
};
const beat = (): void => send({ kind: 'heartbeat', health: 'running' });

process.stderr.write(`${JSON.stringify({ level: 'info', msg: 'started', mode, password: 'hunter2' })}\n`);
process.on('disconnect', () => process.exit(0));

process.on('message', (message: MessageToService | KeychainMessage) => {
  if (message.kind === 'keychain' && mode === 'waits-for-keychain') {
    handedOver = message.key;
    ready();
  }
  if (message.kind === 'stop' && mode !== 'deaf') {
    if (marker !== '') writeFileSync(marker, 'stopped in order');
    process.exit(0);
  }
  if (message.kind === 'subscribe') {
    send({ kind: 'event', sequence: 1, domain: 'service', event: 'healthChanged', payload: { health: 'running' } });
  }
  if (message.kind === 'cancel') {
    const error = { code: 'call.canceled', message: 'Canceled', hint: '', retryable: false } as const;
    send({ kind: 'result', id: message.id, result: { ok: false, error } });
  }
  if (message.kind === 'call') {
    if (message.command === 'crash') process.exit(3);
    if (message.command === 'hang') process.kill(process.pid, 'SIGSTOP');
    if (message.command === 'environment') {
      send({ kind: 'result', id: message.id, result: { ok: true, value: { ...process.env } } });
    }
    if (message.command === 'getSettings') {
      const protection = {
        kind: 'os-keychain',
        description: 'Encrypted by the test keychain',
        keychain: 'Test Keychain',
      };
      send({ kind: 'result', id: message.id, result: { ok: true, value: { keyBits: 2048, protection } } });
    }
    if (message.command === 'keychain')
      send({ kind: 'result', id: message.id, result: { ok: true, value: { handedOver, argv: process.argv } } });
    if (message.command === 'echo')
      send({ kind: 'result', id: message.id, result: { ok: true, value: message.input } });
  }
});

switch (mode) {
  case 'refuses': {
    const error = {
      code: 'service.locked',
      message: 'The folder is in use',
      hint: 'Stop the other.',
      retryable: false,
    } as const;
    process.send?.({ kind: 'start-failed', error } satisfies MessageFromService, () => process.exit(1));
    break;
  }
  case 'crashes-at-start':
    process.exit(7);
    break;
  case 'crashes-once':
    if (existsSync(marker)) ready();
    else {
      writeFileSync(marker, 'crashed');
      process.kill(process.pid, 'SIGKILL');
    }
    break;
  case 'waits-for-keychain':
  case 'never-ready':
    break;
  case 'babbles':
    process.send?.({ kind: 'nonsense' });
    process.stderr.write(`${'x'.repeat(300_000)}\ntoken=abcdef0123456789\n`);
    ready();
    break;
  case 'degraded':
    ready();
    send({ kind: 'heartbeat', health: 'degraded', reason: 'The gateway lost its provider.' });
    break;
  default:
    ready();
}
const timer = setInterval(beat, 50);
if (mode === 'silent') clearInterval(timer);
