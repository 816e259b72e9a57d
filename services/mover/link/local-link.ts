// Owns the messages between a service and its data mover process (process channel, serialization 'advanced'). Only these messages carry Key
// A and Key B from one process to another. So no message of this file is ever logged or stored.
import type { ErrorInfo } from '../../contracts/errors.ts';
import type { RepositoryLocation } from '../../repository/storage/repository-location.ts';
import type { Operation } from '../../wire/messages.ts';

export type { Operation } from '../../wire/messages.ts';

/** The start message of a target mover (provider side). */
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
  /** Location of the tenant's place in the repository. */
  readonly location: RepositoryLocation;
  /** Limit of what the tenant may store, in bytes; -1 for no limit. */
  readonly quotaBytes: number;
  /** 32 hex digits: the restore point to write or to read. */
  readonly pointId: string;
  readonly job: { readonly id: string; readonly name: string };
  /** Address on which this mover accepts connections of the gateway. */
  readonly listenHost: string;
  /** 32 bytes each; every ticket opens one connection. The position of a stream's ticket is its stream index. */
  readonly tickets: { readonly tunnel: Buffer; readonly streams: readonly Buffer[] };
  readonly limits?: MoverLimits;
}

export interface MoverLimits {
  /** How long a ticket may be used, in ms; 60,000 by default. */
  readonly ticketLifetimeMs?: number;
  /** Longest time until received blocks are made durable, in ms; 5,000 by default. */
  readonly flushIntervalMs?: number;
  /** Longest time from the ticket of a data stream to the end of its handshake, in ms; 20,000 by default. */
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
  /** SQLite file of this job; created when it is missing. */
  readonly fileCachePath: string;
  /** Whether to read every file, including files that the file cache reports as unchanged. */
  readonly isFullRead?: boolean;
}

export interface RestoreOperation {
  readonly kind: 'restore';
  readonly pointId: string;
  /** Paths inside the restore point, as raw bytes or as UTF-8 text; an empty list restores everything. */
  readonly paths: readonly (string | Buffer)[];
  readonly destination: string;
  readonly overwrite: 'never' | 'older' | 'always';
}

/** Fetches the manifest of a restore point, checks it and saves it for browsing. */
export interface ManifestOperation {
  readonly kind: 'manifest';
  readonly pointId: string;
  readonly saveTo: string;
}

/** The start message of a source mover (tenant side). It never holds Key A. */
export interface SourceStart {
  readonly type: 'start';
  readonly side: 'source';
  readonly sessionId: string;
  readonly attempt: number;
  /** 32 bytes. */
  readonly keyB: Buffer;
  readonly operation: BackupOperation | RestoreOperation | ManifestOperation;
  readonly gateway: { readonly host: string; readonly port: number };
  /** Each ticket opens one connection. The position of a ticket in this list is the stream index. */
  readonly streamTickets: readonly Buffer[];
}

export type MoverStart = TargetStart | SourceStart;

/**
 * Messages from the service to the mover. `abort` ends the work in order: the target keeps the durable blocks and commits no restore point.
 */
export type MoverCommand =
  MoverStart | { readonly type: 'abort'; readonly reason: ErrorInfo } | { readonly type: 'alive' };

/** Shares of the time since the last progress message (0 to 1) in which a part was busy or others waited for it. */
export interface BusyShares {
  readonly source: number;
  readonly compress: number;
  readonly network: number;
  readonly target: number;
}

export type MoverPhase = 'connecting' | 'scanning' | 'transferring' | 'finalizing';

export interface SourceTotals {
  /** Size of all the work; undefined until it has been counted. */
  readonly totalBytes: number | undefined;
  readonly totalFiles: number | undefined;
  /** Bytes of finished files, read or known to be unchanged. */
  readonly processedBytes: number;
  /** Backup: bytes read from the disk. Restore: bytes written to the disk. */
  readonly readBytes: number;
  /** Encoded bytes of blocks that were sent or received. */
  readonly transferredBytes: number;
  /** The content of these blocks, before compression and encryption. */
  readonly contentBytes?: number;
  /** Encoded bytes of blocks that survive a crash of the target. */
  readonly durableBytes: number;
  /** Backup: the part of `processedBytes` that survives a crash of the target now; never more than `processedBytes`. */
  readonly safeBytes?: number;
  readonly processedFiles: number;
  /** Restore: files that the overwrite rule keeps as they are. Backup: files that could not be read. */
  readonly skippedFiles: number;
  /** Backup: files that were not read, because an earlier session or attempt stored their blocks. Restore: 0. */
  readonly unchangedFiles: number;
  readonly newBlocks: number;
  readonly reusedBlocks: number;
  /** Restore only. */
  readonly restored?: RestoredFigures;
}

/** What a restore has done to the destination, as counted by its tree writer. */
export interface RestoredFigures {
  /** Files that are complete at the destination, hard links among them. */
  readonly files: number;
  /** Bytes of their content, without holes. */
  readonly bytes: number;
  /** Entries that the overwrite rule kept as they are, links among them. */
  readonly skipped: number;
  /** Files that were not restored; each of them, or its folder, has a warning. */
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
  /** Text for people: bytes that are not UTF-8 are shown as \xNN. */
  readonly path: string;
}

export type SourceEvent =
  | { readonly type: 'streams-open'; readonly count: number }
  | { readonly type: 'progress'; readonly phase: MoverPhase; readonly totals: SourceTotals; readonly busy: BusyShares }
  /** A top-level entry of the job: a source path (backup) or a restored path. */
  | {
      readonly type: 'object';
      readonly name: string;
      readonly state: 'running' | 'succeeded' | 'warning' | 'failed';
      readonly bytes: number;
    }
  | { readonly type: 'warning'; readonly warning: MoverWarning }
  /** A note that needs no action; the text may contain file names. */
  | { readonly type: 'remark'; readonly text: string }
  | {
      readonly type: 'finished';
      readonly totals: SourceTotals;
      readonly warningCount: number;
      readonly pointId: string;
      /** Hex; identifies the root of the restore point. */
      readonly rootHash: string;
      readonly peakMemoryBytes: number;
      /** Why the session has failed, although the mover's work ended without an error (restore only). */
      readonly failure?: ErrorInfo;
    };

export type TargetEvent =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'key-b-received'; readonly keyAIdentifier: string; readonly keyBIdentifier: string }
  | { readonly type: 'streams-open'; readonly count: number }
  | {
      readonly type: 'progress';
      readonly totals: TargetTotals;
      /** Bytes received on the data streams, also those of incomplete blocks. */
      readonly arrivedBytes: number;
      readonly busyShare: number;
    }
  /** Sent while a backup runs, and at the end of an attempt: everything that the tenant stores now, in bytes. */
  | { readonly type: 'usage'; readonly usedBytes: number }
  /** The target found damaged blocks in the repository; they no longer count as present. */
  | { readonly type: 'damage-marked'; readonly blocks: number; readonly packs: readonly string[] }
  /** The source sent blocks again that were marked as damaged, and they are now stored intact. */
  | { readonly type: 'damage-replaced'; readonly blocks: number }
  | {
      readonly type: 'committed';
      readonly pointId: string;
      /** Encoded bytes that this attempt added. */
      readonly storedBytes: number;
      readonly newBlocks: number;
      /** Everything that the tenant stores now, in bytes. */
      readonly usedBytes: number;
    }
  | { readonly type: 'finished'; readonly totals: TargetTotals; readonly peakMemoryBytes: number };

/** Messages from either mover to its service. */
export type MoverEvent =
  | SourceEvent
  | TargetEvent
  | { readonly type: 'alive' }
  | {
      readonly type: 'failed';
      readonly error: ErrorInfo;
      /** Whether this mover saw changed bytes. The service then raises a security warning. */
      readonly isTampered: boolean;
    };

/** How a mover ended. `crashed`: without a final message (killed, out of memory, lost). */
export type MoverExit =
  | { readonly kind: 'finished' }
  | { readonly kind: 'failed'; readonly error: ErrorInfo; readonly isTampered: boolean }
  | {
      readonly kind: 'crashed';
      readonly error: ErrorInfo;
      readonly exitCode: number | null;
      readonly signal: string | null;
    };
