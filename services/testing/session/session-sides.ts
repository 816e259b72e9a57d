// Owns a small world for both session machines: their timers, one connection, a repository, people, breaks and crashes. For tests only.
// What happens next is chosen by number, so that a property test can search through the stories.
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { newProviderState, providerStep } from '../../session/machine/provider-machine.ts';
import {
  isOpen,
  type ProviderEffect,
  type ProviderInput,
  type ProviderState,
} from '../../session/machine/provider-states.ts';
import { newTenantState, tenantStep } from '../../session/machine/tenant-machine.ts';
import type { TenantEffect, TenantInput, TenantState } from '../../session/machine/tenant-states.ts';

const tenantRules = { operation: 'backup', retryIntervalMs: 10, retryWindowMs: 100, promptWaitMs: 100 } as const;
const providerRules = { isBackup: true, resumeWindowMs: 100 } as const;
const moreOften = 6;

interface Choice {
  readonly name: string;
  readonly run: () => void;
}

/** What the tenant's driver is doing. */
type Work = 'dial' | 'attempt' | 'transfer' | 'tell-pause' | 'tell-finish';

export class SidesModel {
  readonly story: string[] = [];
  /** What must never happen. */
  readonly faults: string[] = [];
  readonly #isUndisturbed: boolean;
  #nowMs = 0;
  #tenant: TenantState;
  #provider: ProviderState | undefined;
  readonly #tenantTimers = new Map<string, number>();
  readonly #providerTimers = new Map<string, number>();
  #work: Work | undefined;
  /** The driver was told to end what it does. */
  #isEnding = false;
  /** Counts connections; the provider may find out late that one is gone. */
  #link: 'none' | 'open' = 'none';
  #isLossUnheard = false;
  /** Whether the provider's mover of this attempt works. */
  #hasMover = false;
  #cancelAtProvider = false;
  #grants = 0;
  isOnDisk = false;
  isCancelWanted = false;
  /** What a restart of the tenant finds. */
  #record = { isGranted: false };

  constructor({ isUndisturbed = false }: { readonly isUndisturbed?: boolean } = {}) {
    this.#isUndisturbed = isUndisturbed;
    this.#tenant = newTenantState({ attempt: 1, knows: 'no', isCommitted: false, paused: null }, tenantRules);
    this.#tellTenant({ type: 'start' });
  }

  get tenant(): TenantState {
    return this.#tenant;
  }

  get provider(): ProviderState | undefined {
    return this.#provider;
  }

  /** One thing that can happen now happens. */
  happen(choice: number): void {
    const progress = this.#progress();
    // What gets the session on happens more often than what breaks it.
    const choices = [...Array.from({ length: moreOften }, () => progress).flat(), ...this.#disturbances()];
    const chosen = choices[choice % Math.max(1, choices.length)];
    if (chosen !== undefined) this.#run(chosen);
  }

  /** Nothing breaks any more; everything that waits goes on until both sides have ended. */
  settle(): void {
    this.story.push('-- settle');
    for (let step = 0; step < 400; step += 1) {
      const [next] = this.#progress();
      if (next === undefined) break;
      this.#run(next);
    }
    if (!this.#isOver(this.#tenant)) this.faults.push(`the tenant never ends: ${this.#tenant.kind}`);
    if (this.#provider !== undefined && !this.#isOver(this.#provider)) {
      this.faults.push(`the provider never ends: ${this.#provider.kind}`);
    }
  }

  #run({ name, run }: Choice): void {
    this.story.push(`${name} [tenant ${this.#tenant.kind} ${this.#tenant.attempt}, provider ${this.#provider?.kind}]`);
    run();
  }

  #isOver({ kind }: { readonly kind: string }): boolean {
    return kind === 'succeeded' || kind === 'warning' || kind === 'failed' || kind === 'canceled';
  }

  /** What happens when nothing breaks, in the order in which it is due. */
  #progress(): Choice[] {
    const choices: Choice[] = [];
    const add = (name: string, run: () => void): void => void choices.push({ name, run });
    if (this.#isEnding && this.#work !== undefined) add('the tenant’s work is ended', () => this.#endWork());
    else {
      switch (this.#work) {
        case 'dial':
          add('dialed', () => {
            this.#hearLoss();
            this.#work = undefined;
            this.#link = 'open';
            this.#tellTenant({ type: 'dialed' });
          });
          break;
        case 'attempt':
          add('the provider answers', () => this.#answerAttempt(false));
          break;
        case 'transfer':
          if (this.#tenant.kind === 'key-exchange') add('streams open', () => this.#openStreams());
          else if (!this.isOnDisk && this.#hasMover) add('commit', () => this.#commit(true));
          else if (this.isOnDisk) add('the source mover is done', () => this.#done());
          else add('the source mover sees that the target is gone', () => this.#breakAttempt());
          break;
        case 'tell-pause':
          add('the provider hears of the pause', () => this.#answerPause());
          break;
        case 'tell-finish':
          add('the provider hears the last word', () => this.#answerFinish());
          break;
        case undefined:
          break;
      }
    }
    if (this.#isLossUnheard) add('the provider sees that the connection is gone', () => this.#hearLoss());
    if (this.#cancelAtProvider) {
      add('the provider hears of the cancel', () => {
        this.#cancelAtProvider = false;
        this.#tellProvider({ type: 'cancel', error: new FarkeepError('call.canceled') });
      });
    }
    if (choices.length === 0 || this.#work === undefined) {
      const due = this.#nextTimer();
      if (due !== undefined) add(`timer ${due.name} of the ${due.side}`, () => this.#fire(due));
    }
    return choices;
  }

  #disturbances(): Choice[] {
    const choices: Choice[] = [];
    const add = (name: string, run: () => void): void => void choices.push({ name, run });
    if (this.#work === 'dial') add('no gateway answers', () => this.#fail('gateway.none-usable'));
    if (this.#work === 'attempt') add('the answer is lost', () => this.#answerAttempt(true));
    if (this.#work === 'attempt') {
      add('the connection breaks before the request', () => {
        this.#breakLink();
        if (this.#knowsNothing()) this.#tellTenant({ type: 'answer-lost' });
        this.#fail('connection.lost');
      });
    }
    if (this.#work === 'transfer') {
      add('the connection breaks', () => this.#breakAttempt());
      if (this.#hasMover && !this.isOnDisk) {
        add('the target mover dies after the commit, before it says so', () => this.#commit(false));
        add('the target mover dies', () => this.#targetDies());
      }
      if (this.#hasMover && !this.isOnDisk) {
        add('the message of the commit is lost', () => {
          this.isOnDisk = true;
          this.#tellProvider({ type: 'committed', storedBytes: 1 });
          this.#breakAttempt();
        });
      }
    }
    if (this.#work === 'tell-pause' || this.#work === 'tell-finish') {
      add('the connection breaks', () => {
        const work = this.#work;
        this.#breakLink();
        this.#work = undefined;
        if (work === 'tell-finish') this.#tellTenant({ type: 'finish-told' });
        else this.#tellTenant({ type: 'pause-told', keptForMs: null, hasLink: false });
      });
    }
    if (this.#tenant.kind === 'paused' && this.#link === 'open') {
      add('the connection breaks in the pause', () => {
        this.#breakLink();
        this.#tellTenant({ type: 'link-lost' });
      });
    }
    add('the tenant service crashes', () => this.#crashTenant());
    if (this.#provider !== undefined) add('the provider service crashes', () => this.#crashProvider());
    if (this.#isUndisturbed) return choices.filter(({ name }) => !name.includes('pause') && !this.#isFirstTry());
    for (const by of ['tenant', 'provider'] as const) {
      add(`a pause by the ${by}`, () => {
        if (by === 'provider') this.#tellProvider({ type: 'pause-wanted' });
        else this.#tellTenant({ type: 'pause-wanted', by });
      });
      add(`a resume by the ${by}`, () => {
        if (by === 'provider') this.#tellProvider({ type: 'resume-wanted' });
        else this.#tellTenant({ type: 'resume-wanted', by });
      });
    }
    add('a cancel by the tenant', () => {
      this.isCancelWanted = true;
      this.#tellTenant({ type: 'cancel' });
    });
    add('a cancel by the provider', () => {
      this.isCancelWanted = true;
      this.#tellProvider({ type: 'cancel', error: new FarkeepError('call.canceled') });
    });
    return choices;
  }

  /** Before the first grant a failure ends the session at once. */
  #isFirstTry(): boolean {
    return this.#knowsNothing() || this.#grants > 8;
  }

  #knowsNothing(): boolean {
    const { kind } = this.#tenant;
    return 'provider' in this.#tenant && this.#tenant.provider.knows === 'no' && kind !== 'paused';
  }

  #tellTenant(input: TenantInput): void {
    const before = this.#tenant;
    const { state, effects } = tenantStep(before, { ...input, nowMs: this.#nowMs, hasWarnings: false }, tenantRules);
    if (this.#isOver(before) && before !== state) this.faults.push(`the tenant leaves ${before.kind}`);
    this.#tenant = state;
    // A restart counts an attempt on, and the next grant says its number.
    const isGranted = 'stage' in state && state.stage === 'running';
    if (isGranted && state.attempt > this.#grants) this.faults.push('an attempt that nobody granted');
    for (const effect of effects) this.#doAtTenant(effect);
  }

  #doAtTenant(effect: TenantEffect): void {
    switch (effect.type) {
      case 'arm':
        this.#tenantTimers.set(effect.timer, this.#nowMs + effect.afterMs);
        return;
      case 'disarm':
        this.#tenantTimers.delete(effect.timer);
        return;
      case 'dial':
        this.#startWork('dial');
        return;
      case 'run-attempt':
        this.#startWork('attempt');
        return;
      case 'tell-pause':
        this.#startWork('tell-pause');
        return;
      case 'tell-finish':
        this.#startWork('tell-finish');
        return;
      case 'end-attempt':
        this.#isEnding = true;
        return;
      case 'save-grant':
        this.#record = { isGranted: true };
        return;
      case 'close-link':
      case 'leave':
        this.#breakLink();
        return;
      case 'cancel-at-provider':
        this.#cancelAtProvider = this.#provider !== undefined;
        return;
      default:
        return;
    }
  }

  #startWork(work: Work): void {
    if (this.#work !== undefined) this.faults.push(`${work} begins while ${this.#work} runs`);
    this.#work = work;
    this.#isEnding = false;
  }

  #tellProvider(input: ProviderInput): readonly ProviderEffect[] {
    const before = this.#provider;
    if (before === undefined) return [];
    const event = { ...input, nowMs: this.#nowMs, hasWarnings: false };
    const { state, effects } = providerStep(before, event, providerRules);
    if (this.#isOver(before) && before !== state) this.faults.push(`the provider leaves ${before.kind}`);
    if (this.#isOver(state) && !this.#isOver(before) && state.kind === 'failed' && this.#isPointKnown(before)) {
      this.faults.push(`a committed point fails by ${input.type}`);
    }
    this.#provider = state;
    for (const effect of effects) this.#doAtProvider(effect);
    return effects;
  }

  #isPointKnown(state: ProviderState): boolean {
    return 'isCommitted' in state && state.isCommitted;
  }

  #doAtProvider(effect: ProviderEffect): void {
    switch (effect.type) {
      case 'arm':
        this.#providerTimers.set(effect.timer, this.#nowMs + effect.afterMs);
        return;
      case 'disarm':
        this.#providerTimers.delete(effect.timer);
        return;
      case 'start-mover':
        if (this.#hasMover) this.faults.push('two target movers');
        this.#hasMover = true;
        return;
      case 'end-attempt':
        this.#hasMover = false;
        return;
      case 'tell-committed':
        if (this.#link === 'open') this.#tellTenant({ type: 'committed' });
        return;
      case 'ask-tenant':
        if (this.#link !== 'open') return;
        this.#tellTenant(
          effect.wish === 'pause'
            ? { type: 'pause-wanted', by: 'provider' }
            : { type: 'resume-wanted', by: 'provider' },
        );
        return;
      case 'tell-ended':
        if (this.#link !== 'open') return;
        if (this.#work === 'transfer') this.#fail(effect.error.code);
        else if (effect.isFinal) this.#tellTenant({ type: 'ended-at-provider', error: effect.error });
        return;
      default:
        return;
    }
  }

  /** The tenant's work fails by itself. */
  #fail(code: FarkeepError['code']): void {
    if (this.#isEnding) {
      this.#endWork();
      return;
    }
    this.#work = undefined;
    this.#tellTenant({ type: 'attempt-failed', error: new FarkeepError(code), hasQuestion: false });
  }

  /** The tenant's work ends because it was told to. */
  #endWork(): void {
    const work = this.#work;
    this.#work = undefined;
    this.#isEnding = false;
    const error = new FarkeepError('call.canceled');
    if (work === 'transfer' && this.#hasMover) {
      this.#hasMover = false;
      this.#tellProvider({ type: 'mover-ended', error, shown: error, isTampered: false });
    }
    if (work === 'tell-pause') this.#tellTenant({ type: 'pause-refused', error });
    else this.#tellTenant({ type: 'attempt-failed', error, hasQuestion: false });
  }

  /** @param isLost the provider did it, but the tenant does not hear of it */
  #answerAttempt(isLost: boolean): void {
    const knows = 'provider' in this.#tenant ? this.#tenant.provider.knows : 'yes';
    const isNew = this.#provider === undefined;
    if (isNew && knows === 'yes') this.faults.push('the provider has forgotten a session that it granted');
    let refused: FarkeepError | undefined;
    let isThere = false;
    if (isNew) {
      this.#provider = newProviderState(1);
      refused = this.#refusal(this.#tellProvider({ type: 'start-asked' }));
    } else if (knows === 'no') refused = new FarkeepError('call.conflict');
    else if (this.#provider !== undefined && this.#isOver(this.#provider)) {
      isThere = this.#provider.kind === 'succeeded' || this.#provider.kind === 'warning';
      if (!isThere) refused = new FarkeepError('call.conflict');
    } else {
      refused = this.#refusal(this.#tellProvider({ type: 'resume-asked' }));
      if (refused === undefined) {
        // The connection of the attempt before does not count any more.
        this.#isLossUnheard = false;
        const answer = this.#tellProvider({ type: 'resume-ready', isCommitted: this.isOnDisk, storedBytes: 1 });
        refused = this.#refusal(answer);
        isThere = answer.some(({ type }) => type === 'point-exists');
      }
    }
    if (refused === undefined && !isThere) {
      this.#grants += 1;
      this.#tellProvider({ type: 'attempt-opened' });
    }
    this.#tellProvider({ type: 'served' });
    if (isLost) {
      this.#breakLink();
      if (knows === 'no') this.#tellTenant({ type: 'answer-lost' });
      this.#fail('connection.lost');
      return;
    }
    if (refused !== undefined) {
      this.#fail(refused.code);
      return;
    }
    this.#work = isThere ? undefined : 'transfer';
    if (isThere) this.#tellTenant({ type: 'attempt-done', failure: null });
    else this.#tellTenant({ type: 'granted', attempt: this.#provider?.attempt ?? 1, keptForMs: 100 });
  }

  #refusal(effects: readonly ProviderEffect[]): FarkeepError | undefined {
    return effects.find((effect) => effect.type === 'refuse')?.error;
  }

  #openStreams(): void {
    this.#tellProvider({ type: 'key-b-delivered' });
    this.#tellTenant({ type: 'phase-reached', phase: 'transferring' });
    this.#tellProvider({ type: 'phase-reported', phase: 'transferring' });
  }

  #commit(isTold: boolean): void {
    this.isOnDisk = true;
    if (isTold) this.#tellProvider({ type: 'committed', storedBytes: 1 });
    else this.#targetDies();
  }

  #targetDies(): void {
    this.#hasMover = false;
    const error = new FarkeepError('session.mover-died');
    this.#tellProvider({ type: 'mover-ended', error, shown: error, isTampered: false });
  }

  #done(): void {
    this.#work = undefined;
    if (this.#hasMover) {
      this.#hasMover = false;
      this.#tellProvider({ type: 'mover-ended', error: null, shown: null, isTampered: false });
    }
    this.#tellTenant({ type: 'attempt-done', failure: null });
  }

  #answerPause(): void {
    if (this.#tenant.kind !== 'transferring' && this.#tenant.kind !== 'finalizing') return;
    const by = this.#tenant.stage === 'telling-pause' ? this.#tenant.by : 'tenant';
    this.#work = undefined;
    const refused = this.#refusal(this.#tellProvider({ type: 'pause-asked' }));
    if (refused !== undefined) {
      const isGood = this.#provider?.kind === 'succeeded' || this.#provider?.kind === 'warning';
      this.#tellTenant(isGood ? { type: 'pause-too-late' } : { type: 'pause-refused', error: refused });
      return;
    }
    const answer = this.#tellProvider({ type: 'pause-ready', by, isCommitted: this.isOnDisk, storedBytes: 1 });
    this.#tellProvider({ type: 'served' });
    const kept = answer.find((effect) => effect.type === 'pause-kept');
    if (kept === undefined) this.#tellTenant({ type: 'pause-too-late' });
    else this.#tellTenant({ type: 'pause-told', keptForMs: kept.keptForMs, hasLink: this.#link === 'open' });
  }

  #answerFinish(): void {
    if (this.#tenant.kind !== 'finalizing' || this.#tenant.stage !== 'telling-end') return;
    const { outcome, error } = this.#tenant;
    this.#work = undefined;
    this.#tellProvider({ type: 'finish-asked', outcome, error });
    this.#tellTenant({ type: 'finish-told' });
  }

  #breakAttempt(): void {
    this.#breakLink();
    this.#fail('connection.lost');
  }

  /** The tenant's end is gone; the provider hears of that now or later. */
  #breakLink(): void {
    if (this.#link === 'open') this.#isLossUnheard = true;
    this.#link = 'none';
  }

  #hearLoss(): void {
    if (!this.#isLossUnheard) return;
    this.#isLossUnheard = false;
    this.#tellProvider({ type: 'channel-lost', error: new FarkeepError('connection.lost') });
  }

  #crashTenant(): void {
    if (this.#isOver(this.#tenant)) return;
    this.#breakLink();
    this.#work = undefined;
    this.#isEnding = false;
    this.#tenantTimers.clear();
    const { kind, attempt } = this.#tenant;
    const paused = kind === 'paused' ? { by: this.#tenant.by, untilMs: this.#tenant.untilMs } : null;
    const { isGranted } = this.#record;
    const next = isGranted && paused === null ? attempt + 1 : attempt;
    const knows = isGranted ? 'yes' : 'maybe';
    // What the provider said of a commit is in the record of the session.
    const isCommitted = this.isOnDisk && this.#isCommitHeard();
    this.#tenant = newTenantState({ attempt: next, knows, isCommitted, paused }, tenantRules);
    this.#tellTenant({ type: 'start' });
  }

  #isCommitHeard(): boolean {
    const state = this.#tenant;
    if ('isCommitted' in state) return state.isCommitted;
    return 'provider' in state && state.provider.knows !== 'no' && state.provider.isCommitted;
  }

  #crashProvider(): void {
    const before = this.#provider;
    if (before === undefined || !isOpen(before)) return;
    this.#providerTimers.clear();
    this.#hasMover = false;
    this.#isLossUnheard = false;
    this.#provider = newProviderState(before.attempt);
    this.#tellProvider({
      type: 'restarted',
      was: before.kind === 'waiting-to-resume' ? 'waiting' : 'other',
      paused: before.kind === 'paused' ? { by: before.by, untilMs: before.untilMs } : null,
      isCommitted: this.#isPointKnown(before),
    });
    if (this.#link !== 'open') return;
    this.#link = 'none';
    if (this.#work === 'attempt' && this.#knowsNothing()) this.#tellTenant({ type: 'answer-lost' });
    if (this.#work === 'attempt' || this.#work === 'transfer') this.#fail('connection.lost');
    else if (this.#work === 'tell-finish') {
      this.#work = undefined;
      this.#tellTenant({ type: 'finish-told' });
    } else if (this.#work === 'tell-pause') {
      this.#work = undefined;
      this.#tellTenant({ type: 'pause-told', keptForMs: null, hasLink: false });
    } else if (this.#tenant.kind === 'paused') this.#tellTenant({ type: 'link-lost' });
  }

  #nextTimer(): { side: 'tenant' | 'provider'; name: string; dueMs: number } | undefined {
    const all = [
      ...[...this.#tenantTimers].map(([name, dueMs]) => ({ side: 'tenant' as const, name, dueMs })),
      ...[...this.#providerTimers].map(([name, dueMs]) => ({ side: 'provider' as const, name, dueMs })),
    ];
    return all.sort((a, b) => a.dueMs - b.dueMs)[0];
  }

  #fire({ side, name, dueMs }: { side: 'tenant' | 'provider'; name: string; dueMs: number }): void {
    this.#nowMs = Math.max(this.#nowMs, dueMs);
    const timers = side === 'tenant' ? this.#tenantTimers : this.#providerTimers;
    timers.delete(name);
    if (side === 'tenant') this.#tellTenant({ type: 'timer-fired', timer: name as 'retry' });
    else this.#tellProvider({ type: 'timer-fired', timer: name as 'expiry' });
  }
}
