import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noProgress, type SessionProgress } from '../contracts/models/session.ts';
import { addAttempt, growingFigures, grown, type AttemptFigures } from './attempt-figures.ts';

const count = fc.nat({ max: 1_000_000 });
const figures: fc.Arbitrary<AttemptFigures> = fc.record({
  totalBytes: fc.option(count),
  totalFiles: fc.option(count),
  processedBytes: count,
  processedFiles: count,
  readBytes: count,
  transferredBytes: count,
  contentBytes: count,
  safeBytes: count,
  unchangedFiles: count,
  newBlocks: count,
  reusedBlocks: count,
  restored: fc.option(fc.record({ files: count, bytes: count, skipped: count, failed: count }), { nil: undefined }),
});

function expectGrown(before: SessionProgress, after: SessionProgress): void {
  for (const name of growingFigures) expect(after[name], name).toBeGreaterThanOrEqual(before[name]);
  for (const [total, processed] of [
    [after.totalBytes, after.processedBytes],
    [after.totalFiles, after.processedFiles],
  ] as const) {
    if (total !== null) expect(total).toBeGreaterThanOrEqual(processed);
  }
  if (before.totalBytes !== null) expect(after.totalBytes).not.toBeNull();
  if (before.restored !== undefined) {
    expect(after.restored?.files).toBeGreaterThanOrEqual(before.restored.files);
    expect(after.restored?.bytes).toBeGreaterThanOrEqual(before.restored.bytes);
  }
  expect(after.safeBytes).toBeLessThanOrEqual(after.processedBytes);
}

describe('the figures of attempts', () => {
  it('never run backwards, whatever the movers of any sequence of attempts report', () => {
    fc.assert(
      fc.property(fc.array(fc.array(figures, { maxLength: 5 }), { maxLength: 6 }), (attempts) => {
        let shown = noProgress;
        for (const reports of attempts) {
          const earlier = shown;
          for (const report of reports) {
            const next = grown(shown, addAttempt(earlier, report));
            expectGrown(shown, next);
            shown = next;
          }
        }
      }),
    );
  });

  it('are the same on both sides, whatever reports were lost, once the last report has arrived', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(figures, fc.boolean()), { minLength: 1, maxLength: 20 }), (reports) => {
        let tenant = noProgress;
        let provider = noProgress;
        for (const [report, isLost] of reports) {
          tenant = grown(tenant, report);
          if (isLost) continue;
          const before = provider;
          provider = grown(provider, tenant);
          expectGrown(before, provider);
        }
        expect(grown(provider, tenant)).toEqual(tenant);
      }),
    );
  });

  it('add up work, and count the state of the source once', () => {
    const first = addAttempt(noProgress, {
      ...noProgress,
      totalBytes: 1000,
      totalFiles: 10,
      processedBytes: 610,
      processedFiles: 6,
      readBytes: 610,
      transferredBytes: 600,
      safeBytes: 580,
      newBlocks: 60,
    });
    const earlier = grown(noProgress, first);
    const resumed = grown(
      earlier,
      addAttempt(earlier, { ...noProgress, processedBytes: 80, processedFiles: 1, readBytes: 20, unchangedFiles: 1 }),
    );
    expect(resumed).toMatchObject({
      totalBytes: 1000,
      totalFiles: 10,
      processedBytes: 610,
      processedFiles: 6,
      safeBytes: 580,
      readBytes: 630,
      transferredBytes: 600,
      unchangedFiles: 1,
      newBlocks: 60,
    });
  });
});
