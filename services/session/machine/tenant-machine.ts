// Owns every decision about a session on the tenant's side: a pure function from state and event to the next state and the effects.
// Must not do anything: no clock, no connection, no promise. SessionRunner carries the effects out. docs/protocol.md, section 7.
import type { SessionSide } from '../../contracts/models/session.ts';
import { notable } from '../../contracts/notable-events.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { pausedTooLong } from '../attempt-error.ts';
import { endNotes, goodEnd, note, type FinalState, type Moment } from './machine-types.ts';
import { isWorthAnotherAttempt, withManualRetryHint } from './tenant-failures.ts';
import type {
  AtProvider,
  ProviderKnowledge,
  TenantAsking,
  TenantConnecting,
  TenantEffect,
  TenantEvent,
  TenantPaused,
  TenantRetrying,
  TenantRules,
  TenantRunning,
  TenantState,
  TenantStep,
  TenantTellingPause,
} from './tenant-states.ts';

/** The input for a session: a new one, or one from before a restart of the service. */
export interface TenantRecord {
  readonly attempt: number;
  readonly knows: ProviderKnowledge;
  readonly isCommitted: boolean;
  readonly paused: { readonly by: SessionSide; readonly untilMs: number } | null;
}

export function newTenantState(record: TenantRecord, rules: TenantRules): TenantState {
  const { attempt, knows, isCommitted, paused } = record;
  if (paused !== null) {
    const provider = providerKnowledge(knows === 'yes' ? 'yes' : 'maybe', rules, isCommitted);
    return { kind: 'paused', attempt, isGranted: knows === 'yes', provider, ...paused, hasLink: false };
  }
  return {
    kind: 'pending',
    attempt,
    provider: knows === 'no' ? { knows } : providerKnowledge(knows, rules, isCommitted),
  };
}

export function tenantStep(state: TenantState, event: TenantEvent, rules: TenantRules): TenantStep {
  switch (state.kind) {
    case 'pending':
      return stepPending(state, event);
    case 'connecting':
      return stepConnecting(state, event, rules);
    case 'key-exchange':
    case 'transferring':
    case 'finalizing':
      if (state.stage === 'running') return stepRunning(state, event, rules);
      return state.stage === 'telling-pause' ? stepTellingPause(state, event) : stepTellingEnd(state, event, rules);
    case 'waiting-to-resume':
      return state.waitsFor === 'retry' ? stepRetrying(state, event, rules) : stepAsking(state, event);
    case 'paused':
      return stepPaused(state, event);
    default:
      return refusedOr(state, event);
  }
}

function stepPending(state: Extract<TenantState, { kind: 'pending' }>, event: TenantEvent): TenantStep {
  switch (event.type) {
    case 'start':
      return dial(state.attempt, state.provider, []);
    case 'cancel':
      return end(state, canceled(), event, { knows: state.provider.knows, hasLink: false });
    case 'suspend':
      return suspend(state);
    default:
      return refusedOr(state, event);
  }
}

function stepConnecting(state: TenantConnecting, event: TenantEvent, rules: TenantRules): TenantStep {
  const { provider } = state;
  switch (event.type) {
    case 'dialed':
      if (state.stage === 'asking') return to(state);
      if (state.ending === 'suspend') return suspend(state);
      if (state.ending === 'cancel') return end(state, canceled(), event, { knows: provider.knows, hasLink: true });
      return to({ ...state, stage: 'asking' }, { type: 'run-attempt', knows: provider.knows });
    case 'granted':
      if (state.stage === 'dialing') return to(state);
      return to(
        {
          kind: 'key-exchange',
          stage: 'running',
          attempt: event.attempt,
          keptForMs: event.keptForMs,
          isCommitted: false,
          ending: state.ending,
        },
        { type: 'take-number', attempt: event.attempt },
        { type: 'save-grant' },
        { type: 'show', state: 'key-exchange' },
      );
    case 'answer-lost':
      // Without another contact, the provider would keep a session that no tenant resumes.
      return provider.knows === 'no' ? to({ ...state, provider: providerKnowledge('maybe', rules, false) }) : to(state);
    case 'attempt-done':
      if (state.stage === 'dialing') return to(state);
      // The provider already has the complete restore point.
      return end(state, event.failure, event, { knows: 'yes', hasLink: true });
    case 'attempt-failed':
      return connectingFailed(state, event, rules);
    case 'cancel':
    case 'suspend':
      return to({ ...state, ending: endingBy(state.ending, event.type) }, { type: 'end-attempt' });
    default:
      return refusedOr(state, event);
  }
}

function connectingFailed(
  state: TenantConnecting,
  event: Extract<TenantEvent, { type: 'attempt-failed' }>,
  rules: TenantRules,
): TenantStep {
  const { attempt, provider, stage, ending } = state;
  const hasLink = stage === 'asking';
  const { error } = event;
  if (ending === 'suspend') return suspend(state);
  if (ending === 'cancel') return end(state, canceled(), event, { knows: provider.knows, hasLink });
  if (event.hasQuestion) {
    const untilMs = event.nowMs + rules.promptWaitMs;
    return to(
      { kind: 'waiting-to-resume', waitsFor: 'answer', attempt, provider, refusal: error },
      note(
        error.code === 'trust.changed' ? 'security' : 'warning',
        notable('session.waits-for-answer', { message: error.message }),
      ),
      { type: 'show-waiting', nextAttemptAtMs: null, untilMs },
      { type: 'arm', timer: 'prompt', afterMs: rules.promptWaitMs },
      { type: 'ask-person' },
    );
  }
  if (!isWorthAnotherAttempt(error)) return end(state, error, event, { knows: provider.knows, hasLink });
  const drop: TenantEffect[] = hasLink ? [{ type: 'close-link', isTroubled: true }] : [];
  // Before the first request, the provider has no session to resume, so the caller gets the error at once.
  if (provider.knows === 'no') {
    const failure = withManualRetryHint(error, rules.operation);
    return end(state, failure, event, { knows: 'no', hasLink: false, first: drop });
  }
  return retry({ attempt, isGranted: false, provider, error, first: drop }, event, rules);
}

function stepRunning(state: TenantRunning, event: TenantEvent, rules: TenantRules): TenantStep {
  const { ending, keptForMs, isCommitted, attempt } = state;
  switch (event.type) {
    case 'phase-reached':
      return event.phase === 'key-exchange'
        ? to(state)
        : to({ ...state, kind: event.phase }, { type: 'show', state: event.phase });
    case 'committed':
      return to({ ...state, isCommitted: true });
    case 'attempt-done':
      return end(state, event.failure, event, { knows: 'yes', hasLink: true });
    case 'attempt-failed': {
      const { error, nowMs } = event;
      if (ending === 'suspend') return suspend(state);
      if (ending === 'cancel') return end(state, canceled(), event, { knows: 'yes', hasLink: true });
      if (ending !== null) {
        const by = ending.pauseBy;
        return to(
          {
            kind: state.kind,
            stage: 'telling-pause',
            ...{ attempt, keptForMs, isCommitted, by },
            lostAtMs: nowMs,
            ending: null,
          },
          { type: 'note-pause', by },
          { type: 'tell-pause', by },
        );
      }
      if (!isWorthAnotherAttempt(error)) return end(state, error, event, { knows: 'yes', hasLink: true });
      const provider = { knows: 'yes', keptForMs, retryUntilMs: null, isCommitted } as const;
      const first: TenantEffect[] = [{ type: 'close-link', isTroubled: true }];
      return retry({ attempt, isGranted: true, provider, error, first }, event, rules);
    }
    case 'pause-wanted':
      // The session is ending already. The caller that waits for the pause gets the result of that end.
      if (ending !== null) return to(state);
      if (state.kind !== 'transferring' || rules.operation === 'browse') return refused(state, notNow());
      return to({ ...state, ending: { pauseBy: event.by } }, { type: 'end-attempt' });
    case 'cancel':
    case 'suspend':
      return to({ ...state, ending: ending === 'suspend' ? ending : event.type }, { type: 'end-attempt' });
    default:
      return refusedOr(state, event);
  }
}

function stepTellingPause(state: TenantTellingPause, event: TenantEvent): TenantStep {
  const { attempt, keptForMs, isCommitted, by, ending } = state;
  switch (event.type) {
    case 'pause-told': {
      if (ending === 'suspend') return suspend(state);
      const { hasLink, nowMs } = event;
      if (ending === 'cancel') return end(state, canceled(), event, { knows: 'yes', hasLink });
      const untilMs = event.keptForMs === null ? state.lostAtMs + keptForMs : nowMs + event.keptForMs;
      const provider = { knows: 'yes', keptForMs, retryUntilMs: null, isCommitted } as const;
      return pause({ attempt, isGranted: true, provider, by, untilMs, hasLink }, nowMs, []);
    }
    case 'pause-too-late':
      return end(state, null, event, { knows: 'yes', hasLink: true });
    case 'pause-refused':
      if (ending === 'suspend') return suspend(state);
      return end(state, ending === 'cancel' ? canceled() : event.error, event, { knows: 'yes', hasLink: true });
    case 'cancel':
    case 'suspend':
      return to({ ...state, ending: endingBy(ending, event.type) }, { type: 'end-attempt' });
    case 'pause-wanted':
      return to(state);
    default:
      return refusedOr(state, event);
  }
}

function stepTellingEnd(
  state: Extract<TenantState, { stage: 'telling-end' }>,
  event: TenantEvent,
  rules: TenantRules,
): TenantStep {
  if (event.type !== 'finish-told') return refusedOr(state, event);
  const { attempt, outcome, error } = state;
  return to(
    { kind: outcome, attempt },
    { type: 'finish', outcome, error },
    { type: 'leave', asksUsage: error === null && rules.operation === 'backup' },
  );
}

function stepRetrying(state: TenantRetrying, event: TenantEvent, rules: TenantRules): TenantStep {
  const { attempt, isGranted, provider } = state;
  const disarm: TenantEffect = { type: 'disarm', timer: 'retry' };
  switch (event.type) {
    case 'timer-fired':
      if (event.timer !== 'retry') return to(state);
      return nextAttempt(state, provider, []);
    case 'pause-wanted': {
      if (rules.operation === 'browse') return refused(state, notNow());
      const { by, nowMs } = event;
      // The provider measures the window from the moment when it lost this connection.
      const lostAtMs = provider.retryUntilMs === null ? nowMs : provider.retryUntilMs - rules.retryWindowMs;
      const untilMs = lostAtMs + provider.keptForMs;
      const first: TenantEffect[] = [disarm, { type: 'note-pause', by }];
      return pause({ attempt, isGranted, provider, by, untilMs, hasLink: false }, nowMs, first);
    }
    case 'cancel':
      return end(state, canceled(), event, { knows: provider.knows, hasLink: false, first: [disarm] });
    case 'suspend':
      return suspend(state, disarm);
    default:
      return refusedOr(state, event);
  }
}

function stepAsking(state: TenantAsking, event: TenantEvent): TenantStep {
  const { attempt, provider, refusal } = state;
  const disarm: TenantEffect = { type: 'disarm', timer: 'prompt' };
  const over = (error: FarkeepError): TenantStep =>
    end(state, error, event, { knows: provider.knows, hasLink: false, first: [disarm] });
  switch (event.type) {
    case 'answered': {
      if (event.answer !== 'refuse') return dial(attempt, provider, [disarm]);
      const what = refusal.code === 'trust.changed' ? 'The certificate has changed and' : 'The certificate';
      return over(new FarkeepError('trust.refused', `${what} was refused; nothing was sent`, { cause: refusal }));
    }
    case 'timer-fired':
      return event.timer === 'prompt' ? over(refusal) : to(state);
    case 'cancel':
      return over(canceled());
    case 'suspend':
      return suspend(state, disarm);
    default:
      return refusedOr(state, event);
  }
}

function stepPaused(state: TenantPaused, event: TenantEvent): TenantStep {
  const { provider, hasLink } = state;
  const disarm: TenantEffect = { type: 'disarm', timer: 'expiry' };
  const over = (error: FarkeepError | null): TenantStep =>
    end(state, error, event, { knows: provider.knows, hasLink, first: [disarm] });
  switch (event.type) {
    case 'start':
      return to(state, { type: 'arm', timer: 'expiry', afterMs: Math.max(0, state.untilMs - event.nowMs) });
    case 'resume-wanted': {
      // The provider cannot resume a pause that the tenant owns.
      if (event.by === 'provider' && state.by !== 'provider') return to(state);
      const close: TenantEffect[] = hasLink ? [{ type: 'close-link', isTroubled: false }] : [];
      const resumed = note('info', notable('session.resumed'));
      return nextAttempt(state, { ...provider, retryUntilMs: null }, [disarm, ...close, resumed]);
    }
    case 'pause-wanted':
      // A repeated request keeps the original deadline and owner.
      return to(state, { type: 'pause-begun' });
    case 'link-lost':
      return to({ ...state, hasLink: false });
    case 'ended-at-provider':
      return over(event.error);
    case 'timer-fired':
      if (event.timer !== 'expiry') return to(state);
      return over(provider.isCommitted ? null : pausedTooLong());
    case 'cancel':
      return over(canceled());
    case 'suspend':
      return suspend(state, disarm);
    default:
      return to(state);
  }
}

function dial(attempt: number, provider: AtProvider, first: readonly TenantEffect[]): TenantStep {
  return to(
    { kind: 'connecting', attempt, provider, stage: 'dialing', ending: null },
    ...first,
    { type: 'show', state: 'connecting' },
    { type: 'dial' },
  );
}

/** The provider numbers the attempts. A dial that never reached the provider does not use up a number. */
function nextAttempt(
  { attempt, isGranted }: { readonly attempt: number; readonly isGranted: boolean },
  provider: AtProvider,
  first: readonly TenantEffect[],
): TenantStep {
  const next = isGranted ? attempt + 1 : attempt;
  return dial(next, provider, [...first, { type: 'start-attempt', attempt: next }]);
}

function retry(
  broken: {
    readonly attempt: number;
    readonly isGranted: boolean;
    readonly provider: TenantRetrying['provider'];
    readonly error: FarkeepError;
    readonly first: readonly TenantEffect[];
  },
  moment: Moment,
  { retryIntervalMs, retryWindowMs }: TenantRules,
): TenantStep {
  const { attempt, isGranted, provider, error, first } = broken;
  const retryUntilMs = provider.retryUntilMs ?? moment.nowMs + retryWindowMs;
  const nextAttemptAtMs = moment.nowMs + retryIntervalMs;
  if (nextAttemptAtMs > retryUntilMs) {
    // A restore point that is on disk is a success, whatever failed later.
    const expired = provider.isCommitted
      ? null
      : new FarkeepError('session.resume-expired', `The last attempt failed: ${error.message}`);
    return end({ attempt }, expired, moment, { knows: provider.knows, hasLink: false, first });
  }
  return to(
    {
      kind: 'waiting-to-resume',
      waitsFor: 'retry',
      ...{ attempt, isGranted },
      provider: { ...provider, retryUntilMs },
    },
    ...first,
    note('warning', notable('session.attempt-failed', { message: error.message })),
    { type: 'show-waiting', nextAttemptAtMs, untilMs: retryUntilMs },
    { type: 'arm', timer: 'retry', afterMs: retryIntervalMs },
  );
}

function pause(paused: Omit<TenantPaused, 'kind'>, nowMs: number, first: readonly TenantEffect[]): TenantStep {
  const { by, untilMs } = paused;
  return to(
    { kind: 'paused', ...paused },
    ...first,
    { type: 'show-paused', by, untilMs },
    { type: 'pause-begun' },
    { type: 'arm', timer: 'expiry', afterMs: Math.max(0, untilMs - nowMs) },
  );
}

/** The end is decided. With an open connection, the tenant reports the end to the provider first. */
function end(
  { attempt }: { readonly attempt: number },
  error: FarkeepError | null,
  moment: Moment,
  {
    knows,
    hasLink,
    first = [],
  }: { readonly knows: ProviderKnowledge; readonly hasLink: boolean; readonly first?: readonly TenantEffect[] },
): TenantStep {
  const outcome = outcomeOf(error, moment);
  const before = [...first, ...endNotes(error, outcome)];
  if (hasLink) {
    return to(
      { kind: 'finalizing', stage: 'telling-end', attempt, outcome, error },
      ...before,
      { type: 'show', state: 'finalizing' },
      { type: 'tell-finish', outcome, error },
    );
  }
  const isLeft = outcome === 'canceled' && knows !== 'no';
  return to(
    { kind: outcome, attempt },
    ...before,
    { type: 'finish', outcome, error },
    ...(isLeft ? [{ type: 'cancel-at-provider' } as const] : []),
    { type: 'leave', asksUsage: false },
  );
}

function suspend({ attempt }: { readonly attempt: number }, ...first: readonly TenantEffect[]): TenantStep {
  return to({ kind: 'suspended', attempt }, ...first, { type: 'leave', asksUsage: false });
}

function outcomeOf(error: FarkeepError | null, moment: Moment): FinalState {
  if (error === null) return goodEnd(moment);
  return error.code === 'call.canceled' ? 'canceled' : 'failed';
}

/** A suspended session continues after the restart, even when it was canceled at the same moment. */
function endingBy(ending: 'cancel' | 'suspend' | null, requested: 'cancel' | 'suspend'): 'cancel' | 'suspend' {
  return ending === 'suspend' ? ending : requested;
}

function providerKnowledge(
  knows: 'maybe' | 'yes',
  { retryWindowMs }: TenantRules,
  isCommitted: boolean,
): TenantRetrying['provider'] {
  return { knows, keptForMs: retryWindowMs, retryUntilMs: null, isCommitted };
}

function canceled(): FarkeepError {
  return new FarkeepError('call.canceled', 'The session was canceled');
}

function notNow(): FarkeepError {
  return new FarkeepError('call.conflict', 'Only a session that transfers, or waits to be tried again, can be paused', {
    hint: 'Wait a moment and try again, or stop the session.',
  });
}

/** A request that does not fit the state fails. Any other event that does not fit is early or late, and has no effect. */
function refusedOr(state: TenantState, event: TenantEvent): TenantStep {
  if (event.type === 'pause-wanted') return refused(state, notNow());
  if (event.type === 'resume-wanted' && event.by === 'tenant') {
    return refused(state, new FarkeepError('call.conflict', 'The session is not paused'));
  }
  return to(state);
}

function to(state: TenantState, ...effects: readonly TenantEffect[]): TenantStep {
  return { state, effects };
}

function refused(state: TenantState, error: FarkeepError): TenantStep {
  return to(state, { type: 'refuse', error });
}
