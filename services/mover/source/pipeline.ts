// Owns the common interface of the operations of a source mover, and the choice of the pipeline for an operation.
import type { ErrorInfo } from '../../contracts/errors.ts';
import type { FarkeepError } from '../../kernel/farkeep-error.ts';
import { TreeWriter } from '../../repository/restore/tree-writer.ts';
import { BackupPipeline } from './backup/backup-pipeline.ts';
import type { MoverPhase, SourceEvent, SourceStart, SourceTotals } from '../link/local-link.ts';
import { ManifestPipeline } from './restore/manifest-pipeline.ts';
import { RestorePipeline } from './restore/restore-pipeline.ts';
import type { PipelineStreams } from './streams/stream-pool.ts';
import type { FromWorker } from './streams/worker-link.ts';

export interface Pipeline {
  readonly phase: MoverPhase;
  /** Backup: time in which the main thread walked the sources. */
  readonly walkMs?: number;
  totals(): SourceTotals;
  run(
    root: Buffer,
  ): Promise<{ readonly rootHash: string; readonly warningCount: number; readonly failure?: ErrorInfo | undefined }>;
  receive(streamIndex: number, message: FromWorker): void;
  fail(error: FarkeepError): void;
  /** Called after a failure, when all streams have ended. */
  close?(): Promise<void>;
}

export interface PipelineOptions {
  readonly operation: SourceStart['operation'];
  readonly pool: PipelineStreams;
  readonly emit: (event: SourceEvent) => void;
}

export function createPipeline({ operation, pool, emit }: PipelineOptions): Pipeline {
  switch (operation.kind) {
    case 'backup':
      return new BackupPipeline({ operation, pool, emit, now: Date.now });
    case 'restore':
      return new RestorePipeline({ operation, pool, emit, openWriter: (writer) => TreeWriter.open(writer) });
    case 'manifest':
      return new ManifestPipeline({ operation, pool });
  }
}
