// Owns every decision about a session on the provider's side: a pure function from state and event to the next state and the effects.
// Must not do anything: no clock, no connection, no promise. ProviderSession carries the effects out. docs/protocol.md, section 7.
import type { SessionSide } from '../../contracts/models/session.ts';
import { notable } from '../../contracts/notable-events.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { isResumable, pausedTooLong } from '../attempt-error.ts';
import { endNotes, goodEnd, errorNote, note, type FinalState } from './machine-types.ts';
import { canTell, hasMover, hasPoint, isOpen, isRunning, withoutMover } from './provider-states.ts';
import type {
  ProviderEffect,
  ProviderEvent,
  ProviderOpen,
  ProviderPending,
  ProviderRules,
  ProviderState,
  ProviderStep,
} from './provider-states.ts';

/** How long the provider waits for the tenant's final message after the restore point is on disk. */
const finalMessageMs = 30_000;
/** How long a tenant may take to end its attempt in order after the provider asked for a pause. */
const pauseAnswerMs = 20_000;

type EventOf<Type extends ProviderEvent['type']> = Extract<ProviderEvent, { type: Type }>;

export function newProviderState(attempt: number): ProviderPending {
  return {
    kind: 'pending',
    attempt,
    serving: 'nothing',
    hasAskedPause: false,
    isPauseAwaited: false,
    isStopping: false,
  };
}

export function providerStep(state: ProviderState, event: ProviderEvent, rules: ProviderRules): ProviderStep {
  return isOpen(state) ? stepOpen(state, event, rules) : stepOver(state, event);
}

/** A final state has no transitions. Late requests still get an answer. */
function stepOver(state: ProviderState, event: ProviderEvent): ProviderStep {
  switch (event.type) {
    case 'start-asked':
    case 'resume-asked':
    case 'resume-ready':
    case 'attempt-opened':
    case 'pause-asked':
    case 'pause-ready':
    case 'pause-wanted':
    case 'resume-wanted':
      return refused(state, ended());
    case 'finish-asked':
      return state.kind === 'suspended' ? refused(state, stopping()) : to(state);
    default:
      return to(state);
  }
}

function stepOpen(state: ProviderOpen, event: ProviderEvent, rules: ProviderRules): ProviderStep {
  switch (event.type) {
    case 'start-asked':
      if (state.kind !== 'pending') return refused(state, busy());
      return beginAttempt({ ...state, serving: 'start' }, []);
    case 'resume-asked':
      if (state.serving === 'pause') return to(state, { type: 'defer' });
      if (state.serving !== 'nothing') return refused(state, busy());
      return to(
        { ...withoutMover(state), serving: 'resume' },
        endAttempt('connection.lost', 'The tenant has started another attempt'),
      );
    case 'resume-ready':
      return resumeReady(state, event, rules);
    case 'attempt-opened':
      return to(state);
    case 'pause-asked':
      if (state.serving !== 'nothing') return to(state, { type: 'defer' });
      return to({ ...withoutMover(state), serving: 'pause' }, endAttempt('call.canceled', 'The session is paused'));
    case 'pause-ready':
      return pauseReady(state, event, rules);
    case 'served':
      return to({ ...state, serving: 'nothing' });
    case 'phase-reported':
      // The last report of an attempt may arrive after its mover has ended.
      if (!isRunning(state) || !state.hasMover) return to(state);
      return to({ ...state, kind: event.phase }, { type: 'show', state: event.phase });
    case 'key-b-delivered':
      return isRunning(state) ? to({ ...state, hasKeyB: true }) : to(state);
    case 'committed':
      return hasMover(state) ? committed(state, event, event.storedBytes) : to(state);
    case 'mover-ended':
      return moverEnded(state, event, rules);
    case 'tampered-at-tenant':
      return failBySecurity(state, event.error, event.where);
    case 'finish-asked':
      return finishAsked(state, event, rules);
    case 'cancel': {
      const { error } = event;
      const outcome = error.code === 'call.canceled' ? 'canceled' : 'failed';
      return end(state, outcome, error, { last: [tellEnded(error), saveNow, { type: 'end-attempt', reason: error }] });
    }
    case 'channel-lost':
      return channelLost(state, event, rules);
    case 'suspend':
      return to({ ...withoutMover(state), isStopping: true }, { type: 'end-attempt', reason: event.error });
    case 'suspended':
      return suspended(state, event, rules);
    case 'restarted':
      return restarted(state, event, rules);
    case 'pause-wanted':
      return pauseWanted(state);
    case 'resume-wanted':
      return resumeWanted(state);
    case 'timer-fired':
      return timerFired(state, event);
  }
}

function resumeReady(state: ProviderOpen, event: EventOf<'resume-ready'>, rules: ProviderRules): ProviderStep {
  // While the service stops, a new mover would belong to no session, and nothing would count or end it.
  if (state.isStopping) return refused(state, ended());
  if (state.serving !== 'resume') return refused(state, busy());
  if (hasPoint(state) || (event.isCommitted && rules.isBackup)) {
    const onNewChannel: ProviderOpen = 'hasChannel' in state ? { ...state, hasChannel: true } : state;
    return withEffects(committed(onNewChannel, event, event.storedBytes), {
      first: [{ type: 'take-channel', isForAttempt: false }],
      last: [{ type: 'point-exists' }],
    });
  }
  const attempt = state.attempt + 1;
  return beginAttempt({ ...state, attempt, serving: 'start' }, [
    { type: 'start-attempt', attempt },
    note('info', notable('session.attempt-started', { attempt })),
  ]);
}

function beginAttempt(state: ProviderOpen, first: readonly ProviderEffect[]): ProviderStep {
  const { attempt, serving, isPauseAwaited, isStopping } = state;
  return {
    state: {
      kind: 'key-exchange',
      ...{ attempt, serving, isPauseAwaited, isStopping },
      hasAskedPause: false,
      hasMover: true,
      hasKeyB: false,
      isCommitted: false,
    },
    effects: [
      ...first,
      { type: 'disarm', timer: 'expiry' },
      { type: 'take-channel', isForAttempt: true },
      { type: 'show', state: 'key-exchange' },
      { type: 'start-mover' },
    ],
  };
}

function pauseReady(state: ProviderOpen, event: EventOf<'pause-ready'>, rules: ProviderRules): ProviderStep {
  const { resumeWindowMs } = rules;
  if (state.serving !== 'pause') return refused(state, busy());
  if (hasPoint(state) || (event.isCommitted && rules.isBackup)) {
    return withEffects(hasPoint(state) ? to(state) : committed(state, event, event.storedBytes), {
      last: [{ type: 'point-exists' }],
    });
  }
  if (state.kind === 'paused') {
    // A repeated request keeps the original deadline and owner.
    return to(state, { type: 'pause-kept', keptForMs: Math.max(0, state.untilMs - event.nowMs) });
  }
  // The provider's pause needs the provider's request: the tenant's message alone is not enough.
  const by: SessionSide = event.by === 'provider' && state.hasAskedPause ? 'provider' : 'tenant';
  const untilMs = event.nowMs + resumeWindowMs;
  const { attempt, serving, hasAskedPause, isStopping } = state;
  return {
    state: {
      kind: 'paused',
      ...{ attempt, serving, hasAskedPause, isStopping, by, untilMs },
      hasChannel: canTell(state),
      isPauseAwaited: false,
    },
    effects: [
      { type: 'show-paused', by, untilMs },
      saveNow,
      { type: 'arm', timer: 'expiry', afterMs: resumeWindowMs },
      ...answerPause(state, null),
      { type: 'pause-kept', keptForMs: resumeWindowMs },
    ],
  };
}

function committed(state: ProviderOpen, moment: ProviderEvent, storedBytes: number): ProviderStep {
  const first: ProviderEffect[] = [
    { type: 'keep-point', storedBytes },
    { type: 'show', state: 'finalizing' },
    note('info', notable('session.point-on-disk')),
    saveNow,
  ];
  if (!canTell(state)) return end(state, goodEnd(moment), null, { first, last: [saveNow] });
  const { attempt, serving, hasAskedPause, isPauseAwaited, isStopping } = state;
  const { hasMover, hasKeyB } = isRunning(state) ? state : { hasMover: false, hasKeyB: false };
  return {
    state: {
      kind: 'finalizing',
      ...{ attempt, serving, hasAskedPause, isPauseAwaited, isStopping, hasMover, hasKeyB },
      isCommitted: true,
    },
    effects: [
      ...first,
      { type: 'tell-committed' },
      { type: 'disarm', timer: 'expiry' },
      ...(hasPoint(state) ? [] : [{ type: 'arm', timer: 'final-message', afterMs: finalMessageMs } as const]),
    ],
  };
}

function moverEnded(state: ProviderOpen, event: EventOf<'mover-ended'>, rules: ProviderRules): ProviderStep {
  if (!isRunning(state)) return to(state);
  const left = withoutMover(state);
  const { error, shown, isTampered } = event;
  if (error === null) return to(left);
  if (isTampered) {
    const where = state.hasKeyB ? 'data' : 'tunnel';
    return withEffects(failBySecurity(left, error, where), { first: [{ type: 'tell-tampered', error, where }] });
  }
  // The mover died after it had reported the restore point as durable, so its work is done.
  if (state.isCommitted) return to(left);
  // The source ended on purpose. The tenant's next request says whether the session ends, or the tenant resumes after a restart.
  if (error.code === 'call.canceled') return waitForTenant(left, error, event.nowMs, rules);
  if (isResumable(error.code)) {
    return withEffects(waitForTenant(left, error, event.nowMs, rules), {
      first: [{ type: 'tell-ended', isFinal: false, error }],
    });
  }
  return end(left, 'failed', shown, {
    first: shown === null ? [] : [errorNote(shown)],
    last: [tellEnded(error), saveNow],
  });
}

function finishAsked(state: ProviderOpen, event: EventOf<'finish-asked'>, rules: ProviderRules): ProviderStep {
  const { outcome, error } = event;
  const isGood = outcome === 'succeeded' || outcome === 'warning';
  if (isGood && rules.isBackup && !hasPoint(state)) {
    return refused(state, new FarkeepError('point.incomplete', 'The restore point is not on disk'));
  }
  return end(state, outcome, error, {
    first: endNotes(error, outcome),
    last: [
      { type: 'end-attempt', reason: error ?? new FarkeepError('call.canceled', 'The session has ended') },
      { type: 'save', isAfterMover: true },
    ],
  });
}

function channelLost(state: ProviderOpen, event: EventOf<'channel-lost'>, rules: ProviderRules): ProviderStep {
  if (state.kind === 'paused') return to({ ...state, hasChannel: false });
  // The tenant disconnected before its final message, but the restore point is on disk.
  if (hasPoint(state)) return end(state, goodEnd(event), null, { last: [saveNow] });
  return withEffects(waitForTenant(withoutMover(state), event.error, event.nowMs, rules, false), {
    first: [{ type: 'end-attempt', reason: event.error }],
  });
}

function suspended(state: ProviderOpen, event: EventOf<'suspended'>, rules: ProviderRules): ProviderStep {
  const waiting = state.kind === 'paused' ? to(state) : waitForTenant(state, event.error, event.nowMs, rules);
  return {
    state: { kind: 'suspended', attempt: state.attempt },
    effects: [...waiting.effects, ...answerPause(state, stopping()), ...disarmAll],
  };
}

function restarted(state: ProviderOpen, event: EventOf<'restarted'>, rules: ProviderRules): ProviderStep {
  const { nowMs, paused, was } = event;
  if (event.isCommitted) return end(state, goodEnd(event), null, { last: [saveNow] });
  if (paused !== null) {
    const { attempt, serving, hasAskedPause, isPauseAwaited, isStopping } = state;
    return to(
      {
        kind: 'paused',
        ...{ attempt, serving, hasAskedPause, isPauseAwaited, isStopping, ...paused },
        hasChannel: false,
      },
      { type: 'arm', timer: 'expiry', afterMs: Math.max(0, paused.untilMs - nowMs) },
    );
  }
  const error = new FarkeepError('service.not-running', 'The provider service was restarted');
  const isNoted = was === 'waiting';
  const step = waitForTenant(state, error, nowMs, rules, false);
  return isNoted ? { ...step, effects: step.effects.filter(({ type }) => type !== 'note') } : step;
}

function pauseWanted(state: ProviderOpen): ProviderStep {
  if (state.kind === 'paused') return to(state, { type: 'answer-pause', error: null });
  if (state.kind !== 'transferring') {
    return refused(
      state,
      new FarkeepError('call.conflict', 'Only a session that transfers can be paused from here', {
        hint: 'Wait until the transfer runs, or stop the session.',
      }),
    );
  }
  return to(
    { ...state, hasAskedPause: true, isPauseAwaited: true },
    { type: 'ask-tenant', wish: 'pause' },
    // All callers that wait for this pause get the same answer.
    ...(state.isPauseAwaited ? [] : [{ type: 'arm', timer: 'pause-answer', afterMs: pauseAnswerMs } as const]),
  );
}

function resumeWanted(state: ProviderOpen): ProviderStep {
  if (state.kind !== 'paused') return refused(state, new FarkeepError('call.conflict', 'The session is not paused'));
  if (state.by !== 'provider') {
    const hint = 'Only the tenant can resume this session.';
    return refused(state, new FarkeepError('call.conflict', 'The tenant has paused this session', { hint }));
  }
  if (!state.hasChannel) {
    const hint = 'Its admin can resume the session at the tenant.';
    return refused(state, new FarkeepError('call.conflict', 'The tenant is not connected right now', { hint }));
  }
  return to(state, { type: 'ask-tenant', wish: 'resume' });
}

function timerFired(state: ProviderOpen, event: EventOf<'timer-fired'>): ProviderStep {
  switch (event.timer) {
    case 'expiry': {
      if (state.kind !== 'waiting-to-resume' && state.kind !== 'paused') return to(state);
      const error = state.kind === 'paused' ? pausedTooLong() : new FarkeepError('session.resume-expired');
      return end(state, 'failed', error, {
        first: [errorNote(error)],
        last: [tellEnded(error), saveNow],
      });
    }
    case 'final-message':
      if (!hasPoint(state)) return to(state);
      return end(state, goodEnd(event), null, { last: [saveNow] });
    case 'pause-answer': {
      const hint = 'The tenant may be too old to pause a session; stop the session instead.';
      const error = new FarkeepError('call.timeout', 'The tenant did not pause the session', { hint });
      return to({ ...state, isPauseAwaited: false }, ...answerPause(state, error));
    }
  }
}

/** Keeps the reservation until the tenant reconnects or the window has passed. */
function waitForTenant(
  state: ProviderOpen,
  error: FarkeepError,
  nowMs: number,
  { resumeWindowMs }: ProviderRules,
  hasChannel = canTell(state),
): ProviderStep {
  const { attempt, serving, hasAskedPause, isPauseAwaited, isStopping } = state;
  const untilMs = nowMs + resumeWindowMs;
  const isOrderly = error.code === 'call.canceled';
  const isNew = state.kind !== 'waiting-to-resume';
  return {
    state: {
      kind: 'waiting-to-resume',
      ...{ attempt, serving, hasAskedPause, isPauseAwaited, isStopping, hasChannel, untilMs },
    },
    effects: [
      ...(isNew
        ? [
            isOrderly
              ? note('info', notable('session.transfer-ended'))
              : note('warning', notable('session.tenant-lost', { message: error.message })),
          ]
        : []),
      { type: 'show-waiting', nextAttemptAtMs: null, untilMs },
      saveNow,
      { type: 'arm', timer: 'expiry', afterMs: resumeWindowMs },
    ],
  };
}

function failBySecurity(state: ProviderOpen, error: FarkeepError, where: 'tunnel' | 'data'): ProviderStep {
  return end(state, 'failed', error, {
    first: [{ type: 'show-attack', error, where }],
    last: [saveNow, { type: 'end-attempt', reason: error }],
  });
}

function end(
  state: ProviderOpen,
  outcome: FinalState,
  error: FarkeepError | null,
  { first = [], last }: { first?: readonly ProviderEffect[]; last: readonly ProviderEffect[] },
): ProviderStep {
  const isOver = new FarkeepError('call.conflict', 'The session ended before it could be paused');
  return {
    state: { kind: outcome, attempt: state.attempt },
    effects: [...first, { type: 'finish', outcome, error }, ...disarmAll, ...answerPause(state, isOver), ...last],
  };
}

function answerPause({ isPauseAwaited }: ProviderOpen, error: FarkeepError | null): ProviderEffect[] {
  if (!isPauseAwaited) return [];
  return [
    { type: 'disarm', timer: 'pause-answer' },
    { type: 'answer-pause', error },
  ];
}

const saveNow: ProviderEffect = { type: 'save', isAfterMover: false };
const disarmAll: readonly ProviderEffect[] = [
  { type: 'disarm', timer: 'expiry' },
  { type: 'disarm', timer: 'final-message' },
];

function tellEnded(error: FarkeepError): ProviderEffect {
  return { type: 'tell-ended', isFinal: true, error };
}

function endAttempt(code: 'connection.lost' | 'call.canceled', message: string): ProviderEffect {
  return { type: 'end-attempt', reason: new FarkeepError(code, message) };
}

function ended(): FarkeepError {
  return new FarkeepError('call.conflict', 'The session has ended');
}

function stopping(): FarkeepError {
  return new FarkeepError('service.not-running', 'The provider service is stopping');
}

function busy(): FarkeepError {
  return new FarkeepError('session.busy', 'An attempt of this session is being started already');
}

function to(state: ProviderState, ...effects: readonly ProviderEffect[]): ProviderStep {
  return { state, effects };
}

function refused(state: ProviderState, error: FarkeepError): ProviderStep {
  return to(state, { type: 'refuse', error });
}

function withEffects(
  step: ProviderStep,
  { first = [], last = [] }: { first?: readonly ProviderEffect[]; last?: readonly ProviderEffect[] },
): ProviderStep {
  return { state: step.state, effects: [...first, ...step.effects, ...last] };
}
