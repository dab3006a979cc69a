import type { z } from 'zod';
import type { Column } from './column.js';
import type { EscalationOptions } from './escalation-options.js';
import type { ExpectationOutcome } from './evaluate/outcome.js';
import type { Part, SinkBinding, SinkTarget } from './sinks/sink.js';

/** Limits on what one evaluation may use. */
export interface EngineLimits {
  readonly memoryMb: number;
  readonly threads: number;
  /** Most bytes that DuckDB may spill to disk. */
  readonly tempMb: number;
}

/** Whether somebody is asked about a failure that trying again cannot mend, or the job ends with it. */
export const ON_FAILURE = ['ESCALATE', 'FAIL'] as const;
export type OnFailure = (typeof ON_FAILURE)[number];

export interface PipelineOptions {
  /** Rows a chunk aims at; parts are cut by size, in steps of 2,048 rows. Default 100,000. */
  readonly chunkRows: number;
  readonly errorBudget: ErrorBudget;
  readonly maxAttempts: number;
  readonly timeoutMs: number | null;
  /** Longest time that loading a chunk may take before it counts as a failure that passes. Default 10 minutes. */
  readonly chunkTimeoutMs: number;
  /** Default ESCALATE. */
  readonly onFailure: OnFailure;
  readonly escalation?: Readonly<z.infer<typeof EscalationOptions>>;
}

/** Bad rows that a job may have before it stops without publishing. A limit that is null does not count. */
export interface ErrorBudget {
  readonly count: number | null;
  readonly percent: number | null;
  /** Rows that must have been read before `percent` counts. */
  readonly minRows: number;
}

/** A file of a source, resolved and allowed. */
export interface ResolvedFile {
  readonly path: string;
  /** As users see it, e.g. `file:orders.csv`. */
  readonly uri: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

/** Resolves `file:` and `upload:` URIs. */
export interface FileResolver {
  /**
   * Every file that a URI or glob names, sorted by name.
   * @throws SluiceError FILE_NOT_FOUND, FILE_NOT_ALLOWED, INVALID_INPUT
   */
  resolve(uri: string): Promise<readonly ResolvedFile[]>;
  /** The place that a file sink writes to. @throws SluiceError FILE_NOT_ALLOWED */
  resolveTarget(uri: string): Promise<string>;
}

export interface EvaluationProgress {
  /** 0 to 1. */
  readonly fraction: number;
}

/** What one pass over the source has found and left behind; nothing of it is published yet. */
export interface Evaluation {
  readonly rowsRead: number;
  readonly rowsFiltered: number;
  readonly rowsDeduplicated: number;
  readonly rowsReshaped: number;
  readonly rowsQuarantined: number;
  /** Rows in the ROWS or FILE parts. */
  readonly rowsGood: number;
  readonly parts: readonly Part[];
  readonly expectations: readonly ExpectationOutcome[];
  /** Columns of the source, before any step. */
  readonly sourceColumns: readonly Column[];
  /** Columns of the parts, in order. */
  readonly output: readonly Column[];
  /** What the target looked like. */
  readonly target: SinkTarget;
}

export interface PreviewStage {
  /** `source`, or `steps[2] derive`. */
  readonly name: string;
  readonly columns: readonly Column[];
  /** JSON objects as text, so that no 64-bit number loses precision. */
  readonly rows: readonly string[];
}

export interface Preview {
  readonly stages: readonly PreviewStage[];
  /** The SELECT that makes the loaded rows. */
  readonly sql: string;
  readonly expectations: readonly ExpectationOutcome[];
  readonly rowsRead: number;
  readonly rowsQuarantined: number;
  /** First bad rows: row number, reasons, raw record. */
  readonly quarantined: readonly {
    rowNumber: number | null;
    reasons: readonly { column: string | null; code: string; message: string }[];
    raw: string;
  }[];
}

export interface InferredColumn {
  readonly name: string;
  /** The type the source itself has. */
  readonly sourceType: string;
  /** The type that every sampled value fits, as a value of the cast step's `type`. */
  readonly suggestedType: string;
  readonly nullable: boolean;
  readonly samples: readonly string[];
}

/** A bound, checked pipeline. `json` is what is stored; binding it again gives the same pipeline. */
export interface Pipeline {
  readonly json: PipelineJson;
  readonly sink: SinkBinding;
  readonly options: PipelineOptions;
  /** URIs of the source, unresolved. */
  readonly sourceUris: readonly string[];
}

/** The stored form: the input with every default filled in. */
export interface PipelineJson {
  readonly source: Readonly<Record<string, unknown>>;
  readonly steps: readonly Readonly<Record<string, unknown>>[];
  readonly expectations: readonly Readonly<Record<string, unknown>>[];
  readonly sink: Readonly<Record<string, unknown>>;
  readonly options: PipelineOptions;
}
