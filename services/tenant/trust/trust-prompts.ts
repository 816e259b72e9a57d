// Owns the tenant's trust questions: decides by pins and chain, asks a person once for each identity, writes pins and the journal.
// Must not open a connection. A refusal leaves only the journal entry: the next contact asks again.
import type { EventPublisher } from '../../contracts/contract.ts';
import type { Pin, ThumbprintCheck, TrustPrompt, TrustReason } from '../../contracts/models/trust.ts';
import { adviceAgainst, revokedPinHint } from '../../contracts/models/trust-texts.ts';
import { trustDomain } from '../../contracts/rpc/trust.ts';
import { notableText } from '../../contracts/notable-events.ts';
import type { PinStore } from '../../certstore/pin-store.ts';
import type { TrustJournal } from '../../certstore/trust-journal.ts';
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { newId } from '../../kernel/identifier.ts';
import { readCertificate, summarize } from '../../pki/certificate/certificate-summary.ts';
import { cleanThumbprint, matchesThumbprint, thumbprintOf, type Thumbprint } from '../../pki/certificate/thumbprint.ts';
import {
  decideTrust,
  trustError,
  type RevocationAnswer,
  type TrustInput,
  type TrustResult,
} from '../../pki/trust/trust.ts';
import type { PresentedCertificate } from '../../transport/control-client.ts';

/**
 * The clocks of the tenant and the provider may differ by this time. A provider that switches its certificate at the announced date must
 * not look like a provider with a changed certificate.
 */
export const announcementToleranceMs = 60 * 60_000;

/** Findings that trust on first use ignores: no authority confirms the certificate. */
const firstUseReasons: readonly TrustReason[] = ['chain.self-signed', 'chain.untrusted-root', 'chain.incomplete'];

export interface TrustQuestion {
  /** The name of the provider, or its host before the provider has a name. */
  readonly identity: string;
  readonly host: string;
  readonly port: number;
  readonly fingerprint?: string | undefined;
  /** Name of the background job that asks. */
  readonly waitingJob: string | null;
  /** The result of a revocation check; undefined without a check. */
  readonly revocation?: RevocationAnswer | undefined;
}

export interface TrustVerdict {
  readonly result: TrustResult;
  /** Set when the certificate is refused and a person can accept it. */
  readonly prompt: RaisedPrompt | null;
  /** Set when the certificate is refused. */
  readonly error: FarkeepError | null;
}

export type PromptAnswer = 'accept' | 'refuse' | 'withdrawn';

export interface RaisedPrompt {
  readonly prompt: TrustPrompt;
  /** Resolves when a person has answered, or when no answer is needed any more. */
  readonly answer: Promise<PromptAnswer>;
}

interface OpenPrompt {
  prompt: TrustPrompt;
  readonly leafDer: Buffer;
  isVerified: boolean;
  readonly settled: PromiseWithResolvers<PromptAnswer>;
}

export class TrustPrompts {
  readonly #pins: PinStore;
  readonly #journal: TrustJournal;
  readonly #clock: Clock;
  readonly #publish: EventPublisher;
  readonly #canTrustFirstUse: (identity: string) => boolean;
  readonly #prompts = new Map<string, OpenPrompt>();

  constructor(options: {
    pins: PinStore;
    journal: TrustJournal;
    clock: Clock;
    publish: EventPublisher;
    /** Whether the settings allow trust on first use now, and no provider of this name is known. */
    canTrustFirstUse: (identity: string) => boolean;
  }) {
    this.#canTrustFirstUse = options.canTrustFirstUse;
    this.#pins = options.pins;
    this.#journal = options.journal;
    this.#clock = options.clock;
    this.#publish = options.publish;
  }

  /**
   * Decides, and raises a prompt when a person has to decide. Never accepts a certificate that is neither pinned nor trusted. A given
   * thumbprint decides only this connection: `pinGiven` pins it after the login.
   */
  judge(presented: PresentedCertificate, question: TrustQuestion): TrustVerdict {
    const input = this.#input(presented, question);
    const result = decideTrust(input);
    if (result.decision !== 'refused') {
      if (question.fingerprint === undefined && result.reasons.includes('pin.next'))
        this.#rollOver(presented, question);
      // The certificate is trusted now, by a new authority or by a revocation list that is readable again. The open question is withdrawn.
      this.#withdrawAbout(question.identity, thumbprintOf(presented.leafDer));
      return { result, prompt: null, error: null };
    }
    const error = trustError(result, question.identity);
    const isAskable = error.code === 'trust.untrusted' || error.code === 'trust.changed';
    if (!isAskable) return { result, prompt: null, error };
    // A pin does not help if the certificate excludes the name or has a weak key: after each answer, the same question would follow.
    const pins = [{ certificateDer: presented.leafDer, state: 'current' as const }];
    const pinned = decideTrust({ ...input, pins });
    if (pinned.decision === 'refused') {
      const hint = adviceAgainst(pinned.findings.filter(({ isRefusing }) => isRefusing).map(({ reason }) => reason));
      const details = error.details ?? {};
      return {
        result,
        prompt: null,
        error: new FarkeepError('trust.refused', error.message, { ...(hint === undefined ? {} : { hint }), details }),
      };
    }
    if (this.#isFirstUse(input, result, question)) {
      this.#pinAtFirstUse(presented, question);
      return { result: pinned, prompt: null, error: null };
    }
    const prompt = this.#raise(presented, question, result);
    return { result, prompt, error };
  }

  prompts(): TrustPrompt[] {
    return [...this.#prompts.values()].map(({ prompt }) => prompt);
  }

  /** @throws call.not-found, trust.thumbprint-malformed */
  verify(promptId: string, pasted: string): ThumbprintCheck {
    const open = this.#get(promptId);
    const thumbprint = cleanThumbprint(pasted);
    const isMatch = matchesThumbprint(open.leafDer, thumbprint);
    if (isMatch) open.isVerified = true;
    return { isMatch, algorithm: thumbprint.algorithm };
  }

  /** @throws call.not-found, call.refused for a certificate that was not compared */
  answer(
    promptId: string,
    answer: 'accept' | 'refuse',
    { isCompared, who }: { isCompared: boolean; who: string },
  ): void {
    const open = this.#get(promptId);
    const { prompt, leafDer } = open;
    if (answer === 'accept' && !open.isVerified && !isCompared) {
      throw new FarkeepError('call.refused', 'A certificate can be accepted only after its thumbprint was compared', {
        hint: 'Verify the thumbprint, or confirm that you compared it with your provider.',
      });
    }
    if (answer === 'accept') this.#pins.accept(prompt.identity, leafDer);
    this.#journal.append({
      who,
      action: answer === 'accept' ? 'accepted' : 'refused',
      identity: prompt.identity,
      address: `${prompt.gateway.host}:${prompt.gateway.port}`,
      sha256: thumbprintOf(leafDer),
      note: notableText('trust.answered', {
        isChanged: prompt.kind === 'changed',
        announcedFor: prompt.announcedFor,
        comparison: open.isVerified ? 'thumbprint' : isCompared ? 'admin' : null,
      }),
    });
    this.#settle(promptId, answer);
    if (answer === 'accept') this.#publish(trustDomain, 'pinsChanged', {});
  }

  /**
   * A person trusts a certificate with a revoked pin again, and gives its thumbprint. The certificate becomes the pin of its identity,
   * unless another certificate is pinned. Then the other pin stays, and at the next contact a prompt compares the two certificates for a
   * decision.
   * @throws call.not-found, call.conflict when the pin is not revoked, trust.thumbprint-malformed, trust.thumbprint-mismatch
   */
  reinstate(pinId: string, pasted: string, who: string): Pin {
    const { identity, state, certificate } = this.#pins.get(pinId);
    if (state !== 'revoked') throw new FarkeepError('call.conflict', `This pin of "${identity}" is not revoked`);
    if (!matchesThumbprint(readCertificate(certificate.pem).der, cleanThumbprint(pasted))) {
      throw new FarkeepError(
        'trust.thumbprint-mismatch',
        `The revoked certificate of "${identity}" has another thumbprint: ${certificate.sha256}`,
      );
    }
    const pin = this.#pins.reinstate(pinId);
    this.#journal.append({
      who,
      action: 'accepted',
      identity,
      address: '',
      sha256: certificate.sha256,
      note: notableText('trust.reinstated'),
    });
    this.#withdrawAbout(identity, certificate.sha256);
    this.#publish(trustDomain, 'pinsChanged', {});
    return pin;
  }

  /** The questions about this identity need no answer any more. */
  withdraw(identity: string): void {
    for (const { prompt } of [...this.#prompts.values()]) {
      if (prompt.identity === identity) this.#settle(prompt.id, 'withdrawn');
    }
  }

  /** Pins a certificate whose thumbprint was given, after the login has succeeded. */
  pinGiven(leafDer: Uint8Array, { identity, address }: { identity: string; address: string }): void {
    const sha256 = thumbprintOf(leafDer);
    if (this.#pins.current(identity)?.certificate.sha256 === sha256) return;
    this.#pins.accept(identity, leafDer, 'thumbprint');
    this.#journal.append({
      who: 'given with the command',
      action: 'accepted',
      identity,
      address,
      sha256,
      note: notableText('trust.thumbprint-given'),
    });
    this.withdraw(identity);
    this.#publish(trustDomain, 'pinsChanged', {});
  }

  /**
   * Only a person lifts a revocation, by accepting the certificate again for this name.
   * @throws trust.refused when one of the certificates was revoked under this name
   */
  refuseRevoked(identity: string, sha256s: readonly string[]): void {
    const isRevoked = this.#pins
      .list(identity)
      .some(({ state, certificate }) => state === 'revoked' && sha256s.includes(certificate.sha256));
    if (!isRevoked) return;
    throw new FarkeepError('trust.refused', `${identity}: This certificate was pinned and the pin was revoked`, {
      hint: revokedPinHint,
      details: { reasons: ['pin.revoked'] },
    });
  }

  /** The certificates that are accepted for an identity, now or after their date. */
  acceptedOf(identity: string): string[] {
    return this.#pins
      .list(identity)
      .filter(({ state }) => state === 'current' || state === 'next')
      .map(({ certificate }) => certificate.sha256);
  }

  /** A provider got another name. Its pins, with the revoked ones, belong to the new name from now on. */
  rename(from: string, to: string, address: string): void {
    this.withdraw(from);
    const sha256 = this.#pins.current(from)?.certificate.sha256 ?? '';
    if (this.#pins.list(from).length === 0) return;
    this.#pins.rename(from, to);
    this.#journal.append({
      who: 'tenant service',
      action: 'configured',
      identity: to,
      address,
      sha256,
      note: notableText('trust.renamed', { identity: from }),
    });
    this.#publish(trustDomain, 'pinsChanged', {});
  }

  /**
   * A provider got its name: the pins of its host belong to this name from now on. If the address belongs to another provider, which keeps
   * its pin (`isShared`), the new provider gets its own pin of the same certificate.
   */
  adopt(
    leafDer: Uint8Array,
    { from, to, isShared, address }: { from: string; to: string; isShared: boolean; address: string },
  ): void {
    const sha256 = thumbprintOf(leafDer);
    const hasPin = (identity: string): boolean => this.#pins.current(identity)?.certificate.sha256 === sha256;
    if (!isShared) this.#withdrawAbout(from, sha256);
    if (from === to || !hasPin(from)) return;
    if (!isShared) {
      this.#pins.rename(from, to);
    } else if (!hasPin(to)) {
      this.#pins.accept(to, leafDer);
      this.#journal.append({
        who: 'tenant service',
        action: 'accepted',
        identity: to,
        address,
        sha256,
        note: notableText('trust.shared', { identity: from }),
      });
    } else return;
    this.#publish(trustDomain, 'pinsChanged', {});
  }

  #input(presented: PresentedCertificate, question: TrustQuestion): TrustInput {
    return {
      leafDer: presented.leafDer,
      chainDer: presented.chainDer.slice(1),
      isChainComplete: presented.isChainComplete,
      nameDialed: question.host,
      isAuthorizedByOpenSsl: presented.isAuthorized,
      othersDer: presented.othersDer,
      authorizationError: presented.authorizationError,
      authorizationText: presented.authorizationText,
      now: this.#clock.now(),
      pins: this.#pins.forDecision(question.identity),
      fingerprint: this.#parseFingerprint(question),
      revocation: question.revocation,
    };
  }

  #parseFingerprint({ fingerprint }: TrustQuestion): Thumbprint | undefined {
    return fingerprint === undefined ? undefined : cleanThumbprint(fingerprint);
  }

  /** Ignores only a missing authority, no other finding. */
  #isFirstUse({ leafDer }: TrustInput, { findings }: TrustResult, { identity, fingerprint }: TrustQuestion): boolean {
    const isAuthorityMissing = findings.every(
      ({ isRefusing, reason }) => !isRefusing || firstUseReasons.includes(reason),
    );
    return (
      fingerprint === undefined &&
      isAuthorityMissing &&
      this.#canTrustFirstUse(identity) &&
      !this.#wasMet(identity, thumbprintOf(leafDer))
    );
  }

  /**
   * True for any pin or journal entry of this name. Also true for a certificate that was refused or revoked under any other name, such as
   * the same host in capitals or with another port.
   */
  #wasMet(identity: string, sha256: string): boolean {
    const isSameName = (other: string): boolean => other.toLowerCase() === identity.toLowerCase();
    return (
      this.#pins
        .list()
        .some((pin) => isSameName(pin.identity) || (pin.state === 'revoked' && pin.certificate.sha256 === sha256)) ||
      this.#journal
        .list()
        .some(
          (entry) =>
            isSameName(entry.identity) ||
            ((entry.action === 'refused' || entry.action === 'revoked') && entry.sha256 === sha256),
        )
    );
  }

  #pinAtFirstUse({ leafDer }: PresentedCertificate, { identity, host, port }: TrustQuestion): void {
    this.#pins.accept(identity, leafDer);
    this.#journal.append({
      who: 'tenant service',
      action: 'accepted',
      identity,
      address: `${host}:${port}`,
      sha256: thumbprintOf(leafDer),
      note: notableText('trust.first-use'),
    });
    this.withdraw(identity);
    this.#publish(trustDomain, 'pinsChanged', {});
  }

  #rollOver(presented: PresentedCertificate, question: TrustQuestion): void {
    this.#pins.rollOver(question.identity);
    this.#journal.append({
      who: 'tenant service',
      action: 'rolled-over',
      identity: question.identity,
      address: `${question.host}:${question.port}`,
      sha256: thumbprintOf(presented.leafDer),
      note: notableText('announcement.proven'),
    });
    this.#publish(trustDomain, 'announcement', {
      identity: question.identity,
      outcome: 'rolled-over',
      sha256: thumbprintOf(presented.leafDer),
      switchAt: null,
      message: notableText('announcement.rolled-over'),
    });
    this.#publish(trustDomain, 'pinsChanged', {});
  }

  #withdrawAbout(identity: string, sha256: string): void {
    for (const { prompt } of [...this.#prompts.values()]) {
      if (prompt.identity === identity && prompt.presented.sha256 === sha256) this.#settle(prompt.id, 'withdrawn');
    }
  }

  /**
   * Raises at most one prompt for each identity, for any number of connections. A prompt about a different certificate replaces the old
   * prompt.
   */
  #raise(presented: PresentedCertificate, question: TrustQuestion, result: TrustResult): RaisedPrompt {
    const summary = summarize(presented.leafDer);
    const existing = [...this.#prompts.values()].find(({ prompt }) => prompt.identity === question.identity);
    if (existing?.prompt.presented.sha256 === summary.sha256) {
      // A check-in or a list of storage asked first. Now a job waits, and the console has to show the job.
      if (existing.prompt.waitingJob === null && question.waitingJob !== null) {
        existing.prompt = { ...existing.prompt, waitingJob: question.waitingJob };
        this.#publish(trustDomain, 'promptRaised', existing.prompt);
      }
      return { prompt: existing.prompt, answer: existing.settled.promise };
    }
    if (existing !== undefined) this.#settle(existing.prompt.id, 'withdrawn');
    const saved = result.isChanged ? this.#pins.current(question.identity) : undefined;
    const prompt: TrustPrompt = {
      id: newId(),
      kind: saved === undefined ? 'untrusted' : 'changed',
      identity: question.identity,
      gateway: { host: question.host, port: question.port },
      raisedAt: new Date(this.#clock.now()).toISOString(),
      reasons: result.reasons,
      presented: summary,
      saved: saved?.certificate ?? null,
      savedAt: saved?.pinnedAt ?? null,
      waitingJob: question.waitingJob,
      announcedFor: this.#announcedFor(presented, question),
    };
    const settled = Promise.withResolvers<PromptAnswer>();
    this.#prompts.set(prompt.id, { prompt, leafDer: Buffer.from(presented.leafDer), isVerified: false, settled });
    this.#publish(trustDomain, 'promptRaised', prompt);
    return { prompt, answer: settled.promise };
  }

  /** A certificate needs no prompt once its date has come, so a date that this function returns is in the future. */
  #announcedFor({ leafDer }: PresentedCertificate, { identity }: TrustQuestion): string | null {
    const next = this.#pins
      .forDecision(identity)
      .find(({ state, certificateDer }) => state === 'next' && leafDer.equals(certificateDer));
    return next?.usableFrom === undefined ? null : new Date(next.usableFrom + announcementToleranceMs).toISOString();
  }

  #get(promptId: string): OpenPrompt {
    const open = this.#prompts.get(promptId);
    if (open === undefined) throw new FarkeepError('call.not-found', 'The question was answered or withdrawn already');
    return open;
  }

  #settle(promptId: string, answer: PromptAnswer): void {
    const open = this.#prompts.get(promptId);
    if (open === undefined) return;
    this.#prompts.delete(promptId);
    open.settled.resolve(answer);
    this.#publish(trustDomain, 'promptSettled', { promptId, answer });
  }
}
