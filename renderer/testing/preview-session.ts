// Owns the preview's data of sessions, and of the folders of a restore point. Never shipped.
import { exampleSession } from './example-session.ts';
import { idOf, sessionOf } from './fixtures.ts';
import type { PointEntry } from '../../services/contracts/models/tenant.ts';
import type { PreviewScene } from './preview-scene.ts';

export function showSession(running: ReturnType<typeof exampleSession>, input: unknown): unknown {
  const id = typeof input === 'object' && input !== null && 'sessionId' in input ? String(input.sessionId) : '';
  if (id === running.id) return running;
  return { ...running, ...sessionOf(2), id, nextAttemptAt: null };
}

export function previewFolder(path: string): readonly PointEntry[] {
  const prefix = path === '' ? '' : `${path}/`;
  const folder = (name: string) => ({
    name,
    path: prefix + name,
    kind: 'folder' as const,
    sizeBytes: null,
    modifiedAt: '2026-11-20T08:00:00.000Z',
    hasWarning: false,
  });
  const file = (name: string) => ({ ...folder(name), kind: 'file' as const, sizeBytes: 48_000 });
  if (path.split('/').length > 3) return [file('report.odt')];
  return [folder('Documents'), folder('Mail'), folder('Pictures'), file('letter.odt'), file('budget 2026.ods')];
}

export function sceneSession({ session }: PreviewScene): Parameters<typeof exampleSession>[1] {
  const base = exampleSession('tenant');
  switch (session) {
    case 'running':
      return {};
    case 'starting':
      return {
        state: 'key-exchange',
        attempt: 1,
        steps: base.steps
          .slice(0, 9)
          .map((step, index) => (index === 8 ? { ...step, outcome: 'active' as const, durationMs: null } : step)),
        objects: [],
        actions: base.actions.slice(0, 1),
        warnings: [],
        warningCount: 0,
        bottleneck: null,
        progress: {
          ...base.progress,
          totalBytes: null,
          processedBytes: 0,
          readBytes: 0,
          transferredBytes: 0,
          safeBytes: 0,
          readBytesPerSecond: 0,
          transferredBytesPerSecond: 0,
          secondsLeft: null,
          processedFiles: 0,
        },
      };
    case 'waiting':
      return {
        state: 'waiting-to-resume',
        nextAttemptAt: new Date(Date.now() + 12_000).toISOString(),
        resumeUntil: new Date(Date.now() + 1_700_000).toISOString(),
      };
    case 'done':
      return {
        state: 'succeeded',
        endedAt: new Date().toISOString(),
        pointId: idOf(7001),
        progress: { ...base.progress, processedBytes: 111_300_000_000, safeBytes: 111_300_000_000, secondsLeft: 0 },
      };
    case 'tampered':
      return {
        state: 'failed',
        endedAt: new Date().toISOString(),
        hasSecurityWarning: true,
        error: {
          code: 'security.tampered',
          message:
            'A record of stream 3 did not pass its check: 1 byte was changed between gateway gw1 and the target data mover.',
          hint: 'The changed data was discarded. Check the network between the two sides.',
          retryable: false,
        },
        steps: base.steps.map((step) =>
          step.attempt === 2 && step.step === 'streams-open'
            ? { ...step, outcome: 'security-warning' as const, detail: 'changed record in stream 3' }
            : step,
        ),
      };
  }
}
