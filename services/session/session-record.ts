// Owns the types around a live session: its input, its stored record, its observers, and values computed from its progress. Holds no state.
import {
  noProgress,
  type Bottleneck,
  type HandshakeStep,
  type SessionAction,
  type SessionDetail,
  type SessionObject,
  type SessionProgress,
  type SessionSummary,
  type ThroughputSample,
} from '../contracts/models/session.ts';

export interface SessionObserver {
  changed?(summary: SessionSummary): void;
  progressed?(sessionId: string, at: string, progress: SessionProgress, bottleneck: Bottleneck | null): void;
  stepped?(sessionId: string, step: HandshakeStep): void;
  /** @param isNaming the text may contain file names */
  acted?(sessionId: string, action: SessionAction, isNaming: boolean): void;
  objectChanged?(sessionId: string, object: SessionObject): void;
  sampled?(sessionId: string, sample: ThroughputSample): void;
}

export interface StoredSession {
  readonly detail: SessionDetail;
  readonly samples: readonly ThroughputSample[];
}

export interface NewSession {
  readonly id: string;
  readonly kind: SessionSummary['kind'];
  readonly jobName: string;
  readonly jobId?: string;
  readonly otherSideId?: string;
  readonly otherSide: string;
  readonly repository: string;
  readonly viewer: SessionDetail['viewer'];
  readonly streams: number;
  readonly areObjectNamesHidden: boolean;
}

/** The detail of a session that has not started: only its purpose is set. */
export function newDetail(session: NewSession, createdAt: string): SessionDetail {
  return {
    ...session,
    state: 'pending',
    attempt: 1,
    createdAt,
    endedAt: null,
    progress: noProgress,
    warningCount: 0,
    error: null,
    hasSecurityWarning: false,
    pointId: null,
    gateway: null,
    certificateSha256: null,
    tls: null,
    steps: [],
    keys: [],
    bottleneck: null,
    objects: [],
    actions: [],
    warnings: [],
    nextAttemptAt: null,
    resumeUntil: null,
  };
}

export function summaryOf(detail: SessionDetail): SessionSummary {
  const { id, kind, jobName, otherSide, repository, state, attempt, createdAt, endedAt } = detail;
  const { progress, warningCount, error, hasSecurityWarning, pointId, storedBytes, pausedBy } = detail;
  const { jobId, otherSideId, viewer, nextAttemptAt } = detail;
  const waitsForAnswer = viewer === 'tenant' && state === 'waiting-to-resume' && nextAttemptAt === null;
  return {
    id,
    kind,
    jobName,
    ...(jobId === undefined ? {} : { jobId }),
    ...(otherSideId === undefined ? {} : { otherSideId }),
    otherSide,
    repository,
    state,
    attempt,
    createdAt,
    endedAt,
    progress,
    warningCount,
    error,
    hasSecurityWarning,
    pointId,
    ...(storedBytes === undefined ? {} : { storedBytes }),
    pausedBy: pausedBy ?? null,
    ...(waitsForAnswer ? { waitsForAnswer } : {}),
  };
}

/**
 * Uses the mean rate of the last minute. Unchanged data passes faster than data that is read, so processed bytes count when nothing is
 * read.
 */
export function secondsLeft(progress: SessionProgress, samples: readonly ThroughputSample[]): number | null {
  if (progress.totalBytes === null) return null;
  const recent = samples.slice(-60);
  if (recent.length < 3) return null;
  const rate = recent.reduce((sum, sample) => sum + sample.readBytesPerSecond, 0) / recent.length;
  const leftBytes = Math.max(0, progress.totalBytes - progress.processedBytes);
  return rate <= 0 ? null : Math.round(leftBytes / rate);
}
