// Owns a complete example of a session: handshake in two attempts, keys, objects, actions, throughput. Never shipped.
import { handshakeSteps, type HandshakeStepName } from '../../services/contracts/models/handshake.ts';
import { noProgress } from '../../services/contracts/models/session.ts';
import type { HandshakeStep, SessionDetail, ThroughputSample } from '../../services/contracts/models/session.ts';
import { certificateOf, sessionOf } from './fixtures.ts';

const startMs = Date.now() - 221_000;
const at = (offsetMs: number): string => new Date(startMs + offsetMs).toISOString();

const details: Readonly<Partial<Record<HandshakeStepName, string>>> = {
  'gateway-connect': 'gw1.northwind.example:6180',
  'gateway-forward': 'passed on without being opened',
  'certificate-presented': certificateOf(5).sha256.slice(0, 8) + '…' + certificateOf(5).sha256.slice(-5),
  'certificate-checked': 'matches the pinned certificate',
  'channel-established': 'TLSv1.3 · TLS_AES_256_GCM_SHA384 · X25519MLKEM768',
  login: 'contoso, bound to this channel',
  'session-authorized': 'Repository 1',
  'streams-open': '4 streams',
};

function stepsOfAttempt(attempt: number, offsetMs: number, count: number): HandshakeStep[] {
  return handshakeSteps.slice(0, count).map((step, index) => ({
    step,
    attempt,
    outcome: 'done',
    at: at(offsetMs + index * 23),
    durationMs: step === 'certificate-checked' || step.endsWith('created') ? 0.4 : 4 + index * 3,
    detail: details[step] ?? '',
    keyIdentifier: step.startsWith('key-a')
      ? `6d4102ef9b7c11a${attempt}`
      : step.startsWith('key-b')
        ? `b7c95a10e42d030${attempt}`
        : null,
  }));
}

export function exampleSession(viewer: 'tenant' | 'provider', changes: Partial<SessionDetail> = {}): SessionDetail {
  return {
    ...sessionOf(1, {
      otherSide: viewer === 'tenant' ? 'Northwind Hosting' : 'contoso',
      state: 'transferring',
      attempt: 2,
      createdAt: at(0),
      endedAt: null,
      pointId: null,
      warningCount: 2,
      progress: {
        ...noProgress,
        totalBytes: 111_300_000_000,
        totalFiles: 52_100,
        processedBytes: 68_900_000_000,
        processedFiles: 41_222,
        readBytes: 12_400_000_000,
        transferredBytes: 4_100_000_000,
        contentBytes: 12_300_000_000,
        safeBytes: 68_100_000_000,
        unchangedFiles: 38_011,
        newBlocks: 9120,
        reusedBlocks: 40_210,
        readBytesPerSecond: 312_000_000,
        transferredBytesPerSecond: 104_000_000,
        secondsLeft: 136,
      },
    }),
    viewer,
    gateway: 'gw1',
    certificateSha256: certificateOf(5).sha256,
    tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', group: 'X25519MLKEM768' },
    steps: [...stepsOfAttempt(1, 0, 16), ...stepsOfAttempt(2, 90_000, 16)],
    keys: [
      { attempt: 1, keyA: '6d4102ef9b7c11a1', keyB: 'b7c95a10e42d0301' },
      { attempt: 2, keyA: '6d4102ef9b7c11a2', keyB: 'b7c95a10e42d0302' },
    ],
    streams: 4,
    bottleneck: { source: 0.91, compression: 0.42, network: 0.3, target: 0.22 },
    objects: [
      { name: 'Documents', state: 'done', sizeBytes: 31_000_000_000, processedBytes: 31_000_000_000 },
      { name: 'Mail', state: 'running', sizeBytes: 44_200_000_000, processedBytes: 37_900_000_000 },
      { name: 'Pictures', state: 'waiting', sizeBytes: 36_100_000_000, processedBytes: 0 },
    ],
    areObjectNamesHidden: false,
    actions: [
      { sequence: 1, at: at(0), level: 'info', text: 'Connecting through gw1.northwind.example:6180', durationMs: 420 },
      { sequence: 2, at: at(600), level: 'info', text: 'Counted 52,100 files, 111 GB', durationMs: 8200 },
      {
        sequence: 3,
        at: at(75_000),
        level: 'warning',
        text: 'Connection to gateway gw1 lost, 2.9 GB already safe',
        durationMs: null,
      },
      {
        sequence: 4,
        at: at(90_000),
        level: 'info',
        text: 'Resumed through gw1 with new keys (attempt 2)',
        durationMs: 4000,
      },
      {
        sequence: 5,
        at: at(120_000),
        level: 'warning',
        text: '2 files changed while being read; read again',
        durationMs: 1000,
      },
      { sequence: 6, at: at(120_100), level: 'info', text: 'Sending blocks', durationMs: null },
    ],
    warnings: [
      {
        at: at(119_000),
        code: 'source.changed',
        message: 'The file changed while it was read.',
        path: 'Mail/inbox.mbox',
      },
      {
        at: at(119_500),
        code: 'source.changed',
        message: 'The file changed while it was read.',
        path: 'Mail/sent.mbox',
      },
    ],
    nextAttemptAt: null,
    resumeUntil: null,
    ...changes,
  };
}

export function exampleSamples(): ThroughputSample[] {
  return Array.from({ length: 210 }, (_item, index) => {
    const isCut = index >= 74 && index < 90;
    const wave = isCut ? 0 : 260 + 60 * Math.sin(index / 9) + 25 * Math.sin(index / 2.3);
    return {
      at: at(9000 + index * 1000),
      readBytesPerSecond: Math.max(0, wave) * 1e6,
      transferredBytesPerSecond: Math.max(0, wave * (0.28 + 0.08 * Math.sin(index / 17))) * 1e6,
    };
  });
}
