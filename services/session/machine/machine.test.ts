// What must hold in every reachable state of both session machines, for every next event. Tests with both machines: two-sides.test.ts.
// Compares docs/protocol.md, section 7, with the machines; FARKEEP_WRITE_DOCUMENTS=1 rewrites the tables there.
import { describe, expect, it } from 'vitest';
import { finalSessionStates, sessionStates } from '../../contracts/models/session.ts';
import { isResumable } from '../attempt-error.ts';
import { expectInDocument } from '../../testing/document-block.ts';
import {
  maxAttempt,
  stateText,
  tenantRules,
  walkProvider,
  walkTenant,
  type ProviderTransition,
  type TenantTransition,
} from '../../testing/session/session-walk.ts';

const tenant = walkTenant();
const browsing = walkTenant({ ...tenantRules, operation: 'browse' });
const provider = walkProvider();
const restoring = walkProvider({ isBackup: false, resumeWindowMs: 100 });
const allTenant = [...tenant, ...browsing];
const allProvider = [...provider, ...restoring];
const all: readonly (TenantTransition | ProviderTransition)[] = [...allTenant, ...allProvider];

const isOver = ({ kind }: { readonly kind: string }): boolean =>
  kind === 'suspended' || finalSessionStates.some((state) => state === kind);
const describeTransition = (transition: TenantTransition | ProviderTransition): string =>
  `${stateText(transition.from)} -- ${stateText(transition.event)} -> ${stateText(transition.to)} ${stateText(transition.effects)}`;

/** An empty result means that every transition is correct. */
function broken<Each extends TenantTransition | ProviderTransition>(
  transitions: readonly Each[],
  isRight: (transition: Each) => boolean,
): string[] {
  return transitions
    .filter((transition) => !isRight(transition))
    .slice(0, 3)
    .map(describeTransition);
}

describe('each session machine', () => {
  it('reaches every state of the protocol', () => {
    const kinds = (transitions: readonly { readonly to: { readonly kind: string } }[]): string[] =>
      [...new Set(transitions.map(({ to }) => to.kind))].sort();
    const common = ['canceled', 'failed', 'finalizing', 'key-exchange', 'paused', 'succeeded', 'suspended'];
    const rest = ['transferring', 'waiting-to-resume', 'warning'];
    expect(kinds(provider)).toEqual([...common, ...rest].sort());
    expect(kinds(tenant)).toEqual([...common, ...rest, 'connecting'].sort());
  });

  it('never leaves a final state, and only refuses requests there', () => {
    expect(
      broken(all, ({ from, to, effects }) => {
        if (!isOver(from)) return true;
        return stateText(from) === stateText(to) && effects.every(({ type }) => type === 'refuse');
      }),
    ).toEqual([]);
  });

  it('can reach an end from every state', () => {
    for (const transitions of [tenant, browsing, provider, restoring]) {
      const before = new Map<string, Set<string>>();
      const leading = new Set(transitions.filter(({ to }) => isOver(to)).map(({ to }) => stateText(to)));
      for (const { from, to } of transitions) {
        const key = stateText(to);
        before.set(key, (before.get(key) ?? new Set()).add(stateText(from)));
      }
      // The set grows during this loop: it collects all states from which one of the final states can be reached.
      for (const key of leading) for (const earlier of before.get(key) ?? []) leading.add(earlier);
      // The search does not follow attempts beyond `maxAttempt`.
      const stuck = transitions.filter(({ from, to }) => !leading.has(stateText(from)) && to.attempt <= maxAttempt);
      expect(stuck.slice(0, 3).map(describeTransition)).toEqual([]);
    }
  });

  it('runs exactly the timers of its state', () => {
    const expectedAtTenant = (state: TenantTransition['to']): string[] => {
      if (state.kind === 'paused') return ['expiry'];
      if (state.kind !== 'waiting-to-resume') return [];
      return state.waitsFor === 'retry' ? ['retry'] : ['prompt'];
    };
    const expectedAtProvider = (state: ProviderTransition['to']): string[] => {
      const asked = 'isPauseAwaited' in state && state.isPauseAwaited ? ['pause-answer'] : [];
      if (state.kind === 'paused' || state.kind === 'waiting-to-resume') return ['expiry', ...asked];
      return 'isCommitted' in state && state.isCommitted ? ['final-message', ...asked] : asked;
    };
    const text = (timers: Iterable<string>): string => [...timers].sort().join();
    expect(broken(allTenant, ({ to, armedAfter }) => text(armedAfter) === text(expectedAtTenant(to)))).toEqual([]);
    expect(broken(allProvider, ({ to, armedAfter }) => text(armedAfter) === text(expectedAtProvider(to)))).toEqual([]);
  });

  it('leaves a pause only by resume, cancel, its deadline, an end at the other side, or a stop', () => {
    const leaving = (transitions: typeof all): Set<string> =>
      new Set(
        transitions
          .filter(({ from, to }) => from.kind === 'paused' && to.kind !== 'paused')
          .map(({ event }) => event.type),
      );
    expect(leaving(allTenant)).toEqual(
      new Set(['resume-wanted', 'cancel', 'timer-fired', 'ended-at-provider', 'suspend']),
    );
    expect(leaving(allProvider)).toEqual(
      new Set([
        ...['resume-ready', 'pause-ready', 'cancel', 'timer-fired', 'finish-asked', 'tampered-at-tenant', 'suspended'],
      ]),
    );
  });

  it('keeps deadline and owner of a pause after a repeated request', () => {
    expect(
      broken(all, ({ from, to, event }) => {
        const isAgain = event.type === 'pause-wanted' || event.type === 'pause-asked' || event.type === 'pause-ready';
        if (from.kind !== 'paused' || !isAgain || to.kind !== 'paused') return true;
        return to.by === from.by && to.untilMs === from.untilMs;
      }),
    ).toEqual([]);
  });

  it('treats a pause as the provider’s only when the provider asked for it', () => {
    expect(
      broken(allProvider, ({ from, to }) => {
        const isNew = from.kind !== 'paused' && from.kind !== 'pending' && to.kind === 'paused';
        return !isNew || to.by !== 'provider' || ('hasAskedPause' in from && from.hasAskedPause);
      }),
    ).toEqual([]);
  });

  it('never reports a committed restore point as failed because a connection was lost', () => {
    const isLoss = ({ event }: TenantTransition | ProviderTransition): boolean => {
      if (event.type === 'timer-fired' || event.type === 'channel-lost') return true;
      const error = 'error' in event ? event.error : null;
      return error !== null && isResumable(error.code) && event.type !== 'cancel';
    };
    const isCommitted = (state: object): boolean => {
      if ('isCommitted' in state) return state.isCommitted === true;
      return 'provider' in state && (state.provider as { isCommitted?: boolean }).isCommitted === true;
    };
    const failed = (to: TenantTransition['to'] | ProviderTransition['to']): boolean =>
      to.kind === 'failed' || ('outcome' in to && to.outcome === 'failed');
    const losses = all.filter((transition) => isLoss(transition) && isCommitted(transition.from));
    expect(losses.length).toBeGreaterThan(20);
    // A person who does not answer a question about a certificate is not a lost connection.
    const isPrompt = ({ event }: TenantTransition | ProviderTransition): boolean =>
      event.type === 'timer-fired' && event.timer === 'prompt';
    expect(broken(losses, (transition) => isPrompt(transition) || !failed(transition.to))).toEqual([]);
  });

  it('starts no attempt after a cancel', () => {
    const starting = new Set(['dial', 'run-attempt', 'start-mover', 'ask-person', 'tell-pause', 'start-attempt']);
    const after = all.filter(({ isCanceled }) => isCanceled);
    expect(after.length).toBeGreaterThan(100);
    expect(broken(after, ({ effects }) => effects.every(({ type }) => !starting.has(type)))).toEqual([]);
  });

  it('increases the attempt number only after the provider has granted the previous attempt', () => {
    expect(
      broken(allTenant, ({ from, to, event }) => {
        if (to.attempt <= from.attempt || event.type === 'granted') return true;
        return to.attempt === from.attempt + 1 && 'isGranted' in from && from.isGranted;
      }),
    ).toEqual([]);
    expect(
      broken(allProvider, ({ from, to, event }) => {
        if (to.attempt === from.attempt) return true;
        return event.type === 'resume-ready' && to.attempt === from.attempt + 1;
      }),
    ).toEqual([]);
  });

  it('never runs two target movers for one session', () => {
    expect(
      broken(allProvider, ({ from, effects }) => {
        const starts = effects.some(({ type }) => type === 'start-mover');
        return !starts || !('hasMover' in from) || !from.hasMover;
      }),
    ).toEqual([]);
  });

  it('stops in order: a session that resumes after a restart is not ended and leaves no timer', () => {
    const stops = all.filter(({ to }) => to.kind === 'suspended');
    expect(
      broken(
        stops,
        ({ effects, armedAfter }) => armedAfter.size === 0 && effects.every(({ type }) => type !== 'finish'),
      ),
    ).toEqual([]);
  });
});

interface Seen {
  readonly from: { readonly kind: string };
  readonly event: { readonly type: string; readonly timer?: string };
  readonly to: { readonly kind: string };
}

/**
 * One line for each state and event that can lead to another state. The stop of a service is left out, because the protocol does not see a
 * stop.
 */
function tableOf(transitions: readonly Seen[]): string[] {
  const rows = new Map<string, Map<string, Set<string>>>();
  for (const { from, event, to } of transitions) {
    if (from.kind === to.kind || to.kind === 'suspended') continue;
    const name = event.timer === undefined ? event.type : `timer ${event.timer}`;
    const row = rows.get(from.kind) ?? new Map<string, Set<string>>();
    row.set(name, (row.get(name) ?? new Set()).add(to.kind));
    rows.set(from.kind, row);
  }
  return sessionStates.flatMap((state) =>
    [...(rows.get(state) ?? [])]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([event, next]) => {
        const ordered = sessionStates.filter((each) => next.has(each));
        return `${state.padEnd(19)}${event.padEnd(21)}${ordered.join(', ')}`;
      }),
  );
}

describe('the table of states in docs/protocol.md', () => {
  it('matches the tenant’s machine', () => {
    expectInDocument('protocol.md', 'tenant-states', tableOf(allTenant));
  });

  it('matches the provider’s machine', () => {
    expectInDocument('protocol.md', 'provider-states', tableOf(allProvider));
  });
});
