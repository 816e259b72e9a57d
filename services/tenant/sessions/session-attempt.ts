// Owns one attempt of a session on the tenant's side: connection, keys, tunnel, source mover, until the work is done or fails. Key A and
// Key B end with the attempt. The session runner decides what follows a failure.
import type { Timers } from '../../kernel/clock.ts';
import { valueWithin, whenAborted } from '../../kernel/deadline.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import { handshakeStepNameSchema } from '../../contracts/models/handshake.ts';
import type { SessionProgress } from '../../contracts/models/session.ts';
import type { Logger } from '../../kernel/logger.ts';
import { Secret } from '../../kernel/secret.ts';
import { isOfTenant } from '../../mover/link/for-tenant.ts';
import type { MoverExit, SourceStart } from '../../mover/link/local-link.ts';
import type { DataMover, StartMover } from '../../mover/link/data-mover.ts';
import type { LiveSession } from '../../session/live-session.ts';
import type { ProviderKnowledge } from '../../session/machine/tenant-states.ts';
import { askProvider, parseProviderNotification, tellProvider } from '../../wire/control-calls.ts';
import type { SessionGrant, SessionOperation, TamperedNotice } from '../../wire/control-messages.ts';
import type { KeyTunnelOptions } from './key-tunnel.ts';
import type { ProviderLink } from '../providers/provider-link.ts';
import type { SessionReporter } from './session-reporter.ts';
import { parseShownPath } from './shown-path.ts';
import type { SourcePlace } from '../jobs/source-place.ts';
import { StallWatch } from './stall-watch.ts';
import { applySourceEvent } from './source-events.ts';

const tunnelTimeoutMs = 20_000;
/** How long to wait for the other side's error after a mover lost its connection: the other side may have the real reason. */
const explanationMs = 700;
/** How long this side's mover may take to end and to report the reason. */
const moverWordMs = 10_000;
const unexplained: ReadonlySet<string> = new Set([
  'connection.lost',
  'ticket.invalid',
  'session.mover-died',
  'call.timeout',
]);
const grantTimeoutMs = 45_000;

export interface SessionPlan {
  readonly operation: SessionOperation;
  readonly jobId: string;
  readonly jobName: string;
  readonly repository: string;
  /** The point to write (with the session's own identifier) or to read. */
  readonly pointId: string;
  readonly streams: number;
  readonly moverOperation: SourceStart['operation'];
  /** Backup: mount points of the sources at the start. */
  readonly places?: readonly SourcePlace[];
  /** Backup: the user has confirmed that less data is expected. */
  readonly isLessAccepted?: boolean;
}

/** The dependencies of an attempt. */
export interface AttemptTools {
  readonly timers: Timers;
  readonly startMover: StartMover;
  readonly deliverKeyB: (options: KeyTunnelOptions) => Promise<void>;
}

export interface SessionAttemptOptions {
  readonly live: LiveSession;
  readonly plan: SessionPlan;
  readonly link: ProviderLink;
  readonly reporter: SessionReporter;
  readonly knows: ProviderKnowledge;
  /** This service was restarted: the provider may have later figures than the record of this side. */
  readonly mayLackFigures: boolean;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** A transfer without progress for this time is ended and retried. */
  readonly stallTimeoutMs: number;
  /** The provider may have granted a session, but its answer was lost. */
  readonly onAnswerLost: () => void;
  /** The provider has granted the attempt: from now on, a lost connection is retried. */
  readonly onGranted: (grant: SessionGrant) => void;
  readonly onPhase: (phase: 'transferring' | 'finalizing') => void;
  /** The restore point is on disk. */
  readonly onCommitted: () => void;
  /** A person at the provider asks for a pause. */
  readonly onPauseWish: () => void;
  readonly tools: AttemptTools;
}

export interface AttemptResult {
  readonly storedBytes: number;
  /**
   * Whether the session's numbers cover the whole run. If the service was restarted shortly before the end, the numbers may cover only a
   * part of the run.
   */
  readonly isMeasured: boolean;
  /** The attempt completed, but its result is not the requested result. A further attempt would not help. */
  readonly failure?: FarkeepError | undefined;
}

export class SessionAttempt {
  readonly #options: SessionAttemptOptions;
  readonly #broken = Promise.withResolvers<never>();
  readonly #tampered = Promise.withResolvers<FarkeepError>();
  #targetBusy: number | undefined;
  #committedBytes: number | undefined;
  /** Set when the mover has received its work. */
  #mover: DataMover | undefined;
  #stall: StallWatch | undefined;
  #failure: FarkeepError | undefined;
  #isOver = false;
  /** The figures of the session before this attempt; the mover counts from zero. */
  #earlier: SessionProgress;

  constructor(options: SessionAttemptOptions) {
    this.#options = options;
    this.#earlier = options.live.progress;
    // The connection may be lost while no caller awaits this promise.
    this.#broken.promise.catch(() => undefined);
    const { peer } = options.link.channel;
    peer.onNotify((name, payload) => this.#onNotification(name, payload));
    peer.onClose((error) => {
      if (this.#isOver) return;
      this.#broken.reject(error ?? new FarkeepError('connection.lost', 'The provider closed the control channel'));
    });
  }

  /** @throws the error that ended the attempt */
  async run(): Promise<AttemptResult> {
    const { live, reporter, plan, link } = this.#options;
    // The mover starts while the provider authorizes, creates Key A and starts its own mover.
    const mover = this.#startMover();
    try {
      const grant = await this.#askForGrant();
      if ('committed' in grant) {
        live.setPoint(grant.committed.pointId);
        return { storedBytes: grant.committed.storedBytes, isMeasured: false };
      }
      this.#options.onGranted(grant);
      if (grant.progress !== undefined && this.#options.mayLackFigures) live.catchUp(grant.progress);
      this.#earlier = live.progress;
      reporter.attach(link.channel.peer, live.id, live.attempt, live.progress);
      this.#takeSteps(grant.steps);
      const exit = await this.#transfer(grant, mover);
      if (exit.kind !== 'finished') throw FarkeepError.fromInfo(exit.error);
      if (plan.operation === 'backup') live.setPoint(plan.pointId);
      return { storedBytes: this.#committedBytes ?? 0, isMeasured: true, failure: this.#failure };
    } catch (error) {
      const failure = await this.#explain(toFarkeepError(error));
      this.#markFailure(failure);
      throw failure;
    } finally {
      this.#isOver = true;
      reporter.detach();
      await mover.stop();
    }
  }

  async #askForGrant(): Promise<SessionGrant | { committed: { pointId: string; storedBytes: number } }> {
    const { live, plan, link, knows, signal, onAnswerLost } = this.#options;
    const { peer } = link.channel;
    const options = { signal, timeoutMs: grantTimeoutMs };
    if (knows !== 'no') {
      try {
        return await askProvider(peer, 'session.resume', { sessionId: live.id, streams: plan.streams }, options);
      } catch (error) {
        // The provider does not know the session, so the request to start it was lost.
        const isMissing = knows === 'maybe' && toFarkeepError(error).code === 'call.not-found';
        if (!isMissing) throw error;
      }
    }
    try {
      return await askProvider(
        peer,
        'session.start',
        {
          sessionId: live.id,
          operation: plan.operation,
          jobId: plan.jobId,
          jobName: plan.jobName,
          repository: plan.repository,
          pointId: plan.operation === 'backup' ? null : plan.pointId,
          streams: plan.streams,
          areNamesHidden: false,
        },
        options,
      );
    } catch (error) {
      if (peer.isClosed || toFarkeepError(error).code === 'call.timeout') onAnswerLost();
      throw error;
    }
  }

  #startMover(): DataMover {
    const { live, plan, logger, tools, onPhase } = this.#options;
    return tools.startMover(
      { side: 'source', sessionId: live.id, attempt: live.attempt, streams: plan.streams },
      {
        logger,
        onEvent: (event) => {
          this.#stall?.saw(event);
          applySourceEvent(live, event, { targetBusy: this.#targetBusy, earlier: this.#earlier, onPhase });
          if (event.type === 'finished' && 'rootHash' in event && event.failure !== undefined)
            this.#failure = FarkeepError.fromInfo(event.failure);
        },
      },
    );
  }

  async #transfer(grant: SessionGrant, mover: DataMover): Promise<MoverExit> {
    const { live, plan, link, signal, stallTimeoutMs, tools } = this.#options;
    using keyA = Secret.take(Buffer.from(grant.keyA, 'base64'));
    live.setKey('keyA', keyA.identifier());
    using keyB = Secret.random(32);
    live.setKey('keyB', keyB.identifier());
    live.endStep('key-b-created', 'Made by the job manager for this attempt', { keyIdentifier: keyB.identifier() });
    live.beginStep('tunnel-opened', `Through ${link.gateway.name}, under Key A`);
    await Promise.race([
      this.#broken.promise,
      tools.deliverKeyB({
        gateway: { ...link.gateway, ...link.dialed },
        ticket: Buffer.from(grant.tunnelTicket, 'base64'),
        keyA,
        keyB,
        sessionId: live.id,
        attempt: live.attempt,
        signal,
        timeoutMs: tunnelTimeoutMs,
        onOpened: () => {
          live.endStep('tunnel-opened', `Through ${link.gateway.name}, under Key A`, {
            keyIdentifier: keyA.identifier(),
          });
          live.beginStep('key-b-proven', 'The target proves that it has Key B');
        },
      }),
    ]);
    live.endStep('key-b-proven', 'The target has proven that it has Key B', { keyIdentifier: keyB.identifier() });
    live.beginStep('streams-open', `${plan.streams} data streams`);
    const copy = Buffer.from(keyB.bytes);
    // The orderly end sends a final record. If an attacker changed a length, the target detects the change at this record.
    const onStall = (): void => {
      const seconds = Math.round(stallTimeoutMs / 1000);
      mover.abort(new FarkeepError('connection.lost', `The transfer made no progress for ${seconds} s`).toInfo());
    };
    const stall = new StallWatch(stallTimeoutMs, onStall, tools.timers);
    this.#stall = stall;
    mover.begin({
      type: 'start',
      side: 'source',
      sessionId: live.id,
      attempt: live.attempt,
      keyB: copy,
      operation: withRawPaths(plan.moverOperation),
      gateway: link.dialed,
      streamTickets: grant.streamTickets.map((ticket) => Buffer.from(ticket, 'base64')),
    });
    // The process channel has serialized the key by now.
    copy.fill(0);
    this.#mover = mover;
    live.endStep('key-b-to-source', 'Over the local link to the source data mover', {
      keyIdentifier: keyB.identifier(),
    });
    const stopListening = whenAborted(signal, () => mover.abort(new FarkeepError('call.canceled').toInfo()));
    try {
      const exit = await Promise.race([this.#broken.promise, mover.exited]);
      if (signal.aborted) throw new FarkeepError('call.canceled');
      if (exit.kind === 'failed' && exit.isTampered) this.#tellTampered(FarkeepError.fromInfo(exit.error));
      return exit;
    } finally {
      stall.stop();
      stopListening();
    }
  }

  #onNotification(name: string, payload: unknown): void {
    const notification = parseProviderNotification(name, payload);
    if (notification === undefined) return;
    const { live } = this.#options;
    if (notification.name === 'goodbye') {
      this.#broken.reject(FarkeepError.fromInfo(notification.payload.error));
      return;
    }
    if (notification.name === 'certificate.announced' || notification.name === 'certificate.withdrawn') {
      this.#options.link.onCertificateNews?.(notification);
      return;
    }
    if (notification.payload.sessionId !== live.id) return;
    switch (notification.name) {
      case 'session.wish':
        if (notification.payload.wish === 'pause') this.#options.onPauseWish();
        return;
      case 'session.event': {
        const { steps, actions, targetBusy, ended } = notification.payload;
        this.#takeSteps(steps ?? []);
        for (const action of actions ?? []) live.addForeignAction(action);
        if (targetBusy !== undefined) this.#targetBusy = targetBusy;
        if (ended !== undefined) this.#broken.reject(FarkeepError.fromInfo(ended.error));
        return;
      }
      case 'session.tampered': {
        const error = tamperedAtProvider(notification.payload);
        this.#tampered.resolve(error);
        this.#broken.reject(error);
        return;
      }
      case 'session.committed':
        this.#committedBytes = notification.payload.storedBytes;
        live.setPoint(notification.payload.pointId);
        this.#options.onCommitted();
        return;
    }
  }

  #takeSteps(steps: SessionGrant['steps']): void {
    for (const step of steps) {
      const name = handshakeStepNameSchema.safeParse(step.step);
      if (name.success) {
        this.#options.live.addForeignStep({ ...step, step: name.data, attempt: this.#options.live.attempt });
      }
    }
  }

  /**
   * A lost data connection looks the same for every cause, and the loss is often reported before its cause. This side's mover, or the
   * other side, may have closed the connection because it received changed bytes.
   */
  async #explain(error: FarkeepError): Promise<FarkeepError> {
    const { signal, tools, link } = this.#options;
    const { timers } = tools;
    if (signal.aborted) return new FarkeepError('call.canceled');
    const mover = this.#mover;
    if (isOfTenant(error) && mover !== undefined) {
      // The provider only repeats the error of the mover on this side. That mover also reports the next step for the user.
      const exit = await valueWithin(mover.stop(error.toInfo()), moverWordMs, timers);
      return exit?.kind === 'failed' ? FarkeepError.fromInfo(exit.error) : error;
    }
    if (!unexplained.has(error.code)) return error;
    if (mover !== undefined) {
      const exit = await valueWithin(mover.stop(error.toInfo()), moverWordMs, timers);
      if (exit?.kind === 'failed' && exit.isTampered) {
        const tampering = FarkeepError.fromInfo(exit.error);
        this.#tellTampered(tampering);
        return tampering;
      }
    }
    if (link.channel.peer.isClosed) return error;
    return (await valueWithin(this.#tampered.promise, explanationMs, timers)) ?? error;
  }

  #markFailure(error: FarkeepError): void {
    const { live } = this.#options;
    const outcome = error.code.startsWith('security.') ? 'security-warning' : 'failed';
    if (error.code === 'call.canceled') return;
    for (const step of live.detail().steps) {
      if (step.attempt === live.attempt && step.outcome === 'active') {
        live.endStep(step.step, error.message, { outcome });
      }
    }
    if (outcome === 'security-warning' && !live.currentSteps.some((step) => step.outcome === outcome)) {
      live.endStep(this.#mover === undefined ? 'tunnel-opened' : 'streams-open', error.message, { outcome });
    }
    if (outcome === 'security-warning' && error.details?.['seenBy'] !== 'provider' && this.#mover === undefined) {
      this.#tellTampered(error, 'tunnel');
    }
  }

  #tellTampered(error: FarkeepError, where: TamperedNotice['where'] = 'data'): void {
    const stream = error.details?.['stream'];
    const { live, link } = this.#options;
    tellProvider(link.channel.peer, 'session.tampered', {
      sessionId: live.id,
      attempt: live.attempt,
      where,
      stream: typeof stream === 'number' ? stream : null,
      reason: error.message.slice(0, 500),
    });
  }
}

/** Plans are stored as text. Only this function changes a name that is not valid text back to its bytes. */
function withRawPaths(operation: SourceStart['operation']): SourceStart['operation'] {
  if (operation.kind !== 'restore') return operation;
  return {
    ...operation,
    paths: operation.paths.map((path) => (typeof path === 'string' ? parseShownPath(path) : path)),
  };
}

function tamperedAtProvider(notice: TamperedNotice): FarkeepError {
  const where = notice.where === 'tunnel' ? 'the Key A tunnel' : `data stream ${notice.stream ?? ''}`.trim();
  return new FarkeepError('security.tampered', `The provider saw changed data in ${where}: ${notice.reason}`, {
    details: { seenBy: 'provider' },
  });
}
