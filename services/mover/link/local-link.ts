// Owns the messages between a service and the data mover it has forked (process channel, serialization 'advanced').
// The only place where Key A and Key B cross a process border; nothing here is ever logged or stored.
import type { ErrorInfo } from '../../contracts/errors.ts';
import type { Operation } from '../../wire/messages.ts';

export type { Operation } from '../../wire/messages.ts';

/** What a target mover is started with (provider side). */
export interface TargetStart {
  readonly type: 'start';
  readonly side: 'target';
  /** 32 hex digits. */
  readonly sessionId: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** 32 bytes. */
  readonly keyA: Buffer;
  readonly operation: Operation;
  /** `<repository>/<tenant id>`. */
  readonly tenantFolder: string;
  /** What the tenant may store, in bytes; -1 for no limit. */
  readonly quotaBytes: number;
  /** 32 hex digits: the point to write or to read. */
  readonly pointId: string;
  readonly job: { readonly id: string; readonly name: string };
  /** Where the gateway reaches this mover. */
  readonly listenHost: string;
  /** 32 bytes each; every ticket opens one connection. The position of a stream's ticket is its stream index. */
  readonly tickets: { readonly tunnel: Buffer; readonly streams: readonly Buffer[] };
  readonly limits?: MoverLimits;
}

export interface MoverLimits {
  /** How long a ticket may be used, in ms; 60,000 by default. */
  readonly ticketLifetimeMs?: number;
  /** How often received blocks are made durable at the latest, in ms; 5,000 by default. */
  readonly flushIntervalMs?: number;
  /** How long a data stream may take from its ticket to its keys, in ms; 20,000 by default. */
  readonly openingLimitMs?: number;
}

export interface BackupOperation {
  readonly kind: 'backup';
  readonly sourcePaths: readonly string[];
  /** Glob patterns (`*`, `?`, `**`), matched against the path below the source; a pattern without `/` matches any name. */
  readonly excludes: readonly string[];
  readonly jobId: string;
  readonly jobName: string;
  readonly pointId: string;
  /** SQLite file of this job; made when missing. */
  readonly fileCachePath: string;
  /** Reads every file, even when the file cache says that it is unchanged. */
  readonly isFullRead?: boolean;
}

export interface RestoreOperation {
  readonly kind: 'restore';
  readonly pointId: string;
  /** Paths inside the restore point, in raw bytes or as UTF-8 text; none = everything. */
  readonly paths: readonly (string | Buffer)[];
  readonly destination: string;
  readonly overwrite: 'never' | 'older' | 'always';
}

/** Fetches the manifest of a point, checks it and saves it for browsing. */
export interface ManifestOperation {
  readonly kind: 'manifest';
  readonly pointId: string;
  readonly saveTo: string;
}

/** What a source mover is started with (tenant side). It never sees Key A. */
export interface SourceStart {
  readonly type: 'start';
  readonly side: 'source';
  readonly sessionId: string;
  readonly attempt: number;
  /** 32 bytes. */
  readonly keyB: Buffer;
  readonly operation: BackupOperation | RestoreOperation | ManifestOperation;
  readonly gateway: { readonly host: string; readonly port: number };
  /** One connection each; the position is the stream index. */
  readonly streamTickets: readonly Buffer[];
}

export type MoverStart = TargetStart | SourceStart;

/** To the mover. `abort` ends the work in an orderly way: the target keeps what is durable and commits nothing. */
export type MoverCommand =
  MoverStart | { readonly type: 'abort'; readonly reason: ErrorInfo } | { readonly type: 'alive' };

/** Shares of the time since the last progress in which a part was busy or waited for, 0 to 1. */
export interface BusyShares {
  readonly source: number;
  readonly compress: number;
  readonly network: number;
  readonly target: number;
}

export type MoverPhase = 'connecting' | 'scanning' | 'transferring' | 'finalizing';

export interface SourceTotals {
  /** Everything there is to do; undefined until it has been counted. */
  readonly totalBytes: number | undefined;
  readonly totalFiles: number | undefined;
  /** Bytes of files that are done with, read or known to be unchanged. */
  readonly processedBytes: number;
  /** Backup: read from the disk. Restore: written to the disk. */
  readonly readBytes: number;
  /** Stored bytes of blocks sent or received. */
  readonly transferredBytes: number;
  /** Stored bytes that survive a crash of the target. */
  readonly durableBytes: number;
  /** Backup: of `processedBytes`, what survives a crash of the target now; never more than that. */
  readonly safeBytes?: number;
  readonly processedFiles: number;
  /** Restore: left alone by the overwrite rule. Backup: could not be read. */
  readonly skippedFiles: number;
  /** Backup: not read, because their blocks are known from an earlier session or attempt and stored. Else 0. */
  readonly unchangedFiles: number;
  readonly newBlocks: number;
  readonly reusedBlocks: number;
  /** Restore only. */
  readonly restored?: RestoredFigures;
}

/** What a restore has done to the destination, as its tree writer counts it. */
export interface RestoredFigures {
  /** In their place, hard links among them. */
  readonly files: number;
  /** Their content, holes not counted. */
  readonly bytes: number;
  /** Left alone by the overwrite rule, links among them. */
  readonly skipped: number;
  /** Not restored; each has a warning, or its folder has one. */
  readonly failed: number;
}

export interface TargetTotals {
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly storedBytes: number;
  readonly durableBytes: number;
  readonly newBlocks: number;
  readonly sentBlocks: number;
}

export interface MoverWarning {
  readonly code: ErrorInfo['code'];
  readonly message: string;
  /** For people: bytes that are not UTF-8 are shown as \xNN. */
  readonly path: string;
}

export type SourceEvent =
  | { readonly type: 'streams-open'; readonly count: number }
  | { readonly type: 'progress'; readonly phase: MoverPhase; readonly totals: SourceTotals; readonly busy: BusyShares }
  /** A top-level thing of the job: a source path (backup), a restored path. */
  | {
      readonly type: 'object';
      readonly name: string;
      readonly state: 'running' | 'succeeded' | 'warning' | 'failed';
      readonly bytes: number;
    }
  | { readonly type: 'warning'; readonly warning: MoverWarning }
  /** Something that nobody has to do anything about, with names of files. */
  | { readonly type: 'remark'; readonly text: string }
  | {
      readonly type: 'finished';
      readonly totals: SourceTotals;
      readonly warningCount: number;
      readonly pointId: string;
      /** Hex; what the root of the point is known by. */
      readonly rootHash: string;
      readonly peakMemoryBytes: number;
      /** The work ended in order, but its result is not what was asked for (restore): the session has failed. */
      readonly failure?: ErrorInfo;
    };

export type TargetEvent =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'key-b-received'; readonly keyAIdentifier: string; readonly keyBIdentifier: string }
  | { readonly type: 'streams-open'; readonly count: number }
  | {
      readonly type: 'progress';
      readonly totals: TargetTotals;
      /** On the data streams, whether a whole block came of it or not. */
      readonly arrivedBytes: number;
      readonly busyShare: number;
    }
  /** Stored blocks turned out damaged and do not count as present any more. */
  | { readonly type: 'damage-marked'; readonly blocks: number; readonly packs: readonly string[] }
  /** Blocks that were marked as damaged came again and are whole. */
  | { readonly type: 'damage-replaced'; readonly blocks: number }
  | {
      readonly type: 'committed';
      readonly pointId: string;
      /** Stored bytes that this session's attempt added. */
      readonly storedBytes: number;
      readonly newBlocks: number;
      /** Everything the tenant stores now. */
      readonly usedBytes: number;
    }
  | { readonly type: 'finished'; readonly totals: TargetTotals; readonly peakMemoryBytes: number };

/** From either mover. */
export type MoverEvent =
  | SourceEvent
  | TargetEvent
  | { readonly type: 'alive' }
  | {
      readonly type: 'failed';
      readonly error: ErrorInfo;
      /** Whether this mover saw changed bytes: raises a security warning. */
      readonly isTampered: boolean;
    };

/** How a mover ended. `crashed` = without a word: killed, out of memory, lost. */
export type MoverExit =
  | { readonly kind: 'finished' }
  | { readonly kind: 'failed'; readonly error: ErrorInfo; readonly isTampered: boolean }
  | {
      readonly kind: 'crashed';
      readonly error: ErrorInfo;
      readonly exitCode: number | null;
      readonly signal: string | null;
    };
