// Owns walking a session machine through everything that can happen to it: all states, each reached with every event. For tests only.
import type { ErrorCode } from '../../contracts/errors.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { Moment } from '../../session/machine/machine-types.ts';
import { newProviderState, providerStep } from '../../session/machine/provider-machine.ts';
import type {
  ProviderEffect,
  ProviderEvent,
  ProviderInput,
  ProviderRules,
  ProviderState,
} from '../../session/machine/provider-states.ts';
import { newTenantState, tenantStep } from '../../session/machine/tenant-machine.ts';
import type {
  TenantEffect,
  TenantEvent,
  TenantInput,
  TenantRules,
  TenantState,
} from '../../session/machine/tenant-states.ts';

export const tenantRules: TenantRules = {
  operation: 'backup',
  retryIntervalMs: 10,
  retryWindowMs: 100,
  promptWaitMs: 500,
};
export const providerRules: ProviderRules = { isBackup: true, resumeWindowMs: 100 };

/** Enough to be inside and outside of each window. */
const moments: readonly Moment[] = [
  { nowMs: 0, hasWarnings: false },
  { nowMs: 95, hasWarnings: true },
];
/** Attempts beyond this one behave like it. */
export const maxAttempt = 2;

interface Effect {
  readonly type: string;
  readonly timer?: string;
}

/** One step of a walk, with the timers that run before and after it. */
export interface Transition<State, Event, EffectOf> {
  readonly from: State;
  readonly event: Event;
  readonly to: State;
  readonly effects: readonly EffectOf[];
  readonly armedBefore: ReadonlySet<string>;
  readonly armedAfter: ReadonlySet<string>;
  /** A cancel was taken on the way to `from`. */
  readonly isCanceled: boolean;
}

export type TenantTransition = Transition<TenantState, TenantEvent, TenantEffect>;
export type ProviderTransition = Transition<ProviderState, ProviderEvent, ProviderEffect>;

const errors = (...codes: readonly ErrorCode[]): FarkeepError[] => codes.map((code) => new FarkeepError(code));
const anyError = errors('connection.lost', 'quota.exceeded', 'security.tampered', 'call.canceled');

export const tenantInputs: readonly TenantInput[] = [
  { type: 'start' },
  { type: 'dialed' },
  { type: 'granted', attempt: 1, keptForMs: 70 },
  { type: 'granted', attempt: 2, keptForMs: 70 },
  { type: 'answer-lost' },
  { type: 'phase-reached', phase: 'transferring' },
  { type: 'phase-reached', phase: 'finalizing' },
  { type: 'committed' },
  { type: 'attempt-done', failure: null },
  { type: 'attempt-done', failure: new FarkeepError('restore.incomplete') },
  ...anyError.map((error) => ({ type: 'attempt-failed', error, hasQuestion: false }) as const),
  ...errors('trust.changed').map((error) => ({ type: 'attempt-failed', error, hasQuestion: true }) as const),
  { type: 'pause-wanted', by: 'tenant' },
  { type: 'pause-wanted', by: 'provider' },
  { type: 'pause-told', keptForMs: 70, hasLink: true },
  { type: 'pause-told', keptForMs: null, hasLink: false },
  { type: 'pause-too-late' },
  ...errors('session.resume-expired').map((error) => ({ type: 'pause-refused', error }) as const),
  { type: 'link-lost' },
  ...errors('call.canceled').map((error) => ({ type: 'ended-at-provider', error }) as const),
  { type: 'resume-wanted', by: 'tenant' },
  { type: 'resume-wanted', by: 'provider' },
  { type: 'answered', answer: 'accept' },
  { type: 'answered', answer: 'refuse' },
  { type: 'cancel' },
  { type: 'suspend' },
  { type: 'finish-told' },
  { type: 'timer-fired', timer: 'retry' },
  { type: 'timer-fired', timer: 'expiry' },
  { type: 'timer-fired', timer: 'prompt' },
];

export const providerInputs: readonly ProviderInput[] = [
  { type: 'start-asked' },
  { type: 'resume-asked' },
  { type: 'resume-ready', isCommitted: false, storedBytes: 0 },
  { type: 'resume-ready', isCommitted: true, storedBytes: 5 },
  { type: 'attempt-opened' },
  { type: 'pause-asked' },
  { type: 'pause-ready', by: 'tenant', isCommitted: false, storedBytes: 0 },
  { type: 'pause-ready', by: 'provider', isCommitted: false, storedBytes: 0 },
  { type: 'pause-ready', by: 'tenant', isCommitted: true, storedBytes: 5 },
  { type: 'served' },
  { type: 'phase-reported', phase: 'key-exchange' },
  { type: 'phase-reported', phase: 'transferring' },
  { type: 'phase-reported', phase: 'finalizing' },
  { type: 'key-b-delivered' },
  { type: 'committed', storedBytes: 5 },
  { type: 'mover-ended', error: null, shown: null, isTampered: false },
  ...anyError.map((error) => ({ type: 'mover-ended', error, shown: error, isTampered: false }) as const),
  ...errors('security.tampered').map(
    (error) => ({ type: 'mover-ended', error, shown: error, isTampered: true }) as const,
  ),
  ...errors('security.tampered').map((error) => ({ type: 'tampered-at-tenant', error, where: 'data' }) as const),
  { type: 'finish-asked', outcome: 'succeeded', error: null },
  ...errors('call.canceled').map((error) => ({ type: 'finish-asked', outcome: 'canceled', error }) as const),
  ...errors('security.tampered').map((error) => ({ type: 'finish-asked', outcome: 'failed', error }) as const),
  ...errors('call.canceled', 'login.disabled').map((error) => ({ type: 'cancel', error }) as const),
  ...errors('connection.lost').map((error) => ({ type: 'channel-lost', error }) as const),
  ...errors('service.not-running').map((error) => ({ type: 'suspend', error }) as const),
  ...errors('service.not-running').map((error) => ({ type: 'suspended', error }) as const),
  { type: 'pause-wanted' },
  { type: 'resume-wanted' },
  { type: 'timer-fired', timer: 'expiry' },
  { type: 'timer-fired', timer: 'final-message' },
  { type: 'timer-fired', timer: 'pause-answer' },
];

/** After a restart only: a session that runs is not restarted. */
const providerRestarts: readonly ProviderInput[] = [
  { type: 'restarted', was: 'waiting', paused: null, isCommitted: false },
  { type: 'restarted', was: 'other', paused: null, isCommitted: true },
  { type: 'restarted', was: 'other', paused: { by: 'provider', untilMs: 100 }, isCommitted: false },
];

/** Timers that run after these effects. */
export function armedAfter(armed: ReadonlySet<string>, effects: readonly Effect[]): ReadonlySet<string> {
  const next = new Set(armed);
  for (const { type, timer } of effects) {
    if (timer === undefined) continue;
    if (type === 'arm') next.add(timer);
    else next.delete(timer);
  }
  return next;
}

/** Text that is the same for states that cannot be told apart. */
export function stateText(state: unknown): string {
  return JSON.stringify(state, (_key, value: unknown) => (value instanceof FarkeepError ? value.code : value));
}

interface Machine<State, Input> {
  readonly starts: readonly State[];
  readonly inputsOf: (state: State, armed: ReadonlySet<string>) => readonly Input[];
  readonly step: (state: State, event: Input & Moment) => { state: State; effects: readonly Effect[] };
}

function walk<State extends { kind: string; attempt: number }, Input extends { type: string; timer?: string }>({
  starts,
  inputsOf,
  step,
}: Machine<State, Input>): Transition<State, Input & Moment, Effect>[] {
  interface Place {
    readonly state: State;
    readonly armed: ReadonlySet<string>;
    readonly isCanceled: boolean;
  }
  const places: Place[] = [];
  const seen = new Set<string>();
  const visit = (place: Place): void => {
    const key = `${stateText(place.state)} ${[...place.armed].sort().join()} ${place.isCanceled}`;
    if (seen.has(key) || place.state.attempt > maxAttempt) return;
    seen.add(key);
    places.push(place);
  };
  for (const state of starts) visit({ state, armed: new Set(), isCanceled: false });
  const transitions: Transition<State, Input & Moment, Effect>[] = [];
  // Grows while it is read.
  for (const { state: from, armed, isCanceled } of places) {
    for (const input of inputsOf(from, armed)) {
      if (input.type === 'timer-fired' && !armed.has(input.timer ?? '')) continue;
      for (const moment of moments) {
        const event = { ...input, ...moment };
        const { state: to, effects } = step(from, event);
        const left = input.type === 'timer-fired' ? new Set([...armed].filter((name) => name !== input.timer)) : armed;
        const after = armedAfter(left, effects);
        transitions.push({ from, event, to, effects, armedBefore: armed, armedAfter: after, isCanceled });
        visit({ state: to, armed: after, isCanceled: isCanceled || input.type === 'cancel' });
      }
    }
  }
  return transitions;
}

export function walkTenant(rules: TenantRules = tenantRules): readonly TenantTransition[] {
  const paused = { by: 'provider', untilMs: 100 } as const;
  const starts = [
    newTenantState({ attempt: 1, knows: 'no', isCommitted: false, paused: null }, rules),
    newTenantState({ attempt: 1, knows: 'maybe', isCommitted: false, paused: null }, rules),
    newTenantState({ attempt: 2, knows: 'yes', isCommitted: true, paused: null }, rules),
    newTenantState({ attempt: 1, knows: 'yes', isCommitted: false, paused }, rules),
  ];
  // A session is started once.
  return walk<TenantState, TenantInput>({
    starts,
    inputsOf: (state, armed) => {
      const isNew = starts.includes(state) && armed.size === 0;
      return tenantInputs.filter(({ type }) => (type === 'start') === isNew);
    },
    step: (state, event) => tenantStep(state, event, rules),
  }) as readonly TenantTransition[];
}

export function walkProvider(rules: ProviderRules = providerRules): readonly ProviderTransition[] {
  const starts = [newProviderState(1)];
  return walk<ProviderState, ProviderInput>({
    starts,
    inputsOf: (state) => (state.kind === 'pending' ? [...providerRestarts, { type: 'start-asked' }] : providerInputs),
    step: (state, event) => providerStep(state, event, rules),
  }) as readonly ProviderTransition[];
}
