import type { Clock } from '../core/clock.js';
import type { Column } from './column.js';
import type {
  EngineLimits,
  Evaluation,
  EvaluationProgress,
  FileResolver,
  InferredColumn,
  Pipeline,
  Preview,
} from './pipeline.js';
import type { Fix, FixOutcome } from './replay/fix.js';
import type { SessionOptions } from './session.js';
import type { HttpEndpoints, SinkClient } from './sinks/sink.js';

export interface EngineOptions {
  readonly files: FileResolver;
  readonly limits: EngineLimits;
  readonly clock: Clock;
  /** Of HTTP sinks; none without them. */
  readonly endpoints?: HttpEndpoints;
  /** Folder for the short-lived files of checks and previews. Default: the system's temporary folder. */
  readonly scratchDir?: string;
}

/** What the parts of an engine work with: its options, and what it keeps for its sessions. */
export type EngineContext = EngineOptions & SessionOptions;

/** A client of the connection that the sink names; the caller takes and releases it. */
export type WithSinkClient = <T>(work: (client: SinkClient) => Promise<T>) => Promise<T>;

export interface EvaluateRequest {
  readonly pipeline: Pipeline;
  /** A new, empty folder of this attempt; parts are written below it. */
  readonly stagingDir: string;
  /** What rows carry where the sink names a column for it: the id of the job. Default: the nil UUID, which no job has. */
  readonly loadId?: string;
  readonly withSinkClient: WithSinkClient;
  /** Interrupts DuckDB; `evaluate` then rejects with the signal's reason. */
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: EvaluationProgress) => void;
  /** Told what is going to run, as SQL without literals; more of it once more where a step over all rows lies between. */
  readonly onCompiled?: (sql: string) => Promise<void>;
}

export interface FixRequest {
  /** Over the quarantine as its source, with every row that fails set aside. */
  readonly pipeline: Pipeline;
  /** Of the source. */
  readonly columns: readonly Column[];
  readonly fix: Fix;
  /** Lays the rows to be fixed into a file: id, revision and record, as CSV. */
  readonly layRows: (path: string) => Promise<void>;
  readonly withSinkClient: WithSinkClient;
  /** Given the file of the rows that the pipeline takes, in the same form; null for a dry run. */
  readonly keep: ((path: string) => Promise<void>) | null;
}

export interface Engine {
  /** Sessions that are open: a query that does not notice its interruption outlives its caller. */
  readonly openSessions: () => number;
  /**
   * Everything of the spec that can be checked with the files and the target at hand, without reading rows:
   * columns of every step, expressions, target. Called at launch; `evaluate` makes the same checks itself.
   * @throws UserErrors
   */
  check(pipeline: Pipeline, withSinkClient: WithSinkClient): Promise<void>;
  /**
   * One pass over the source into part files.
   * @throws SluiceError ERROR_BUDGET_EXCEEDED, EXPECTATION_FAILED (details: samples, report), RESOURCE_EXHAUSTED,
   *   FILE_UNREADABLE, SOURCE_CHANGED and what `check` throws
   */
  evaluate(request: EvaluateRequest): Promise<Evaluation>;
  preview(pipeline: Pipeline, withSinkClient: WithSinkClient, rows: number): Promise<Preview>;
  inferSchema(source: unknown): Promise<readonly InferredColumn[]>;
  /**
   * Fixes quarantined rows and runs them through their pipeline, without loading anything.
   * @throws UserErrors of the fix and of the pipeline
   */
  tryFix(request: FixRequest): Promise<FixOutcome>;
}
