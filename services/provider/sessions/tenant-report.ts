// Owns which reports of a tenant about a running session the provider accepts. Must not decide about the session.
import { handshakeStepNameSchema, type HandshakeStepName } from '../../contracts/models/handshake.ts';
import type { LiveSession } from '../../session/live-session.ts';
import type { TenantNotification } from '../../wire/control-messages.ts';

/** Steps that only the provider can observe. A tenant's report about them is ignored. */
export const providerSteps: ReadonlySet<HandshakeStepName> = new Set([
  'session-authorized',
  'key-a-created',
  'key-a-to-target',
  'key-a-to-tenant',
  'key-b-delivered',
]);

type Report = TenantNotification<'session.report'>;

export function takeReport(
  live: LiveSession,
  report: Report,
  onPhase: (phase: NonNullable<Report['phase']>) => void,
): void {
  if (live.isFinal || report.attempt !== live.attempt) return;
  for (const step of report.steps ?? []) {
    const name = handshakeStepNameSchema.safeParse(step.step);
    if (!name.success || providerSteps.has(name.data)) continue;
    // The provider may have seen the end of a step before the tenant's report of its start.
    const isOld =
      step.outcome === 'active' &&
      live.currentSteps.some((earlier) => earlier.step === name.data && earlier.outcome === 'done');
    if (!isOld) live.addForeignStep({ ...step, step: name.data, attempt: report.attempt });
  }
  // The record is saved when the phase changes, with the steps that led to it.
  if (report.phase !== undefined) onPhase(report.phase);
  for (const action of report.actions ?? []) live.addForeignAction(action);
  for (const object of live.areObjectNamesHidden ? [] : (report.objects ?? [])) live.putObject(object);
  if (report.warningCount !== undefined) live.setWarningCount(report.warningCount);
  if (report.progress !== undefined) live.setProgress(report.progress, report.bottleneck);
}
