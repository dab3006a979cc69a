import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { PoolClient } from 'pg';
import { afterAll } from 'vitest';
import { systemClock } from '../../src/core/clock.js';
import { type InputPath, SluiceError, UserErrors } from '../../src/core/errors.js';
import { createEngine } from '../../src/engine/create-engine.js';
import type { Engine, WithSinkClient } from '../../src/engine/engine.js';
import { createFileResolver } from '../../src/engine/files/file-resolver.js';
import { parsePipeline } from '../../src/engine/parse-pipeline.js';
import type { EngineLimits, Evaluation } from '../../src/engine/pipeline.js';
import type { Part } from '../../src/engine/sinks/sink.js';

export interface BadRow {
  readonly rowNumber: number | null;
  readonly file: string | null;
  readonly reasons: readonly { column: string | null; code: string; message: string }[];
  readonly raw: string;
}

export interface Ran {
  readonly evaluation: Evaluation;
  /** The rows of the `ndjson` file sink as they were written, for digits that JavaScript would lose. */
  readonly lines: readonly string[];
  readonly rows: readonly Record<string, unknown>[];
  readonly bad: readonly BadRow[];
}

export interface Failure {
  readonly code: string;
  readonly path: InputPath | undefined;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What a test says of a pipeline; the sink is an NDJSON file and no number of bad rows is too many unless it says so. */
export interface Spec {
  readonly source: unknown;
  readonly steps?: readonly unknown[];
  readonly expectations?: readonly unknown[];
  readonly sink?: unknown;
  readonly options?: unknown;
}

export type EngineHome = Awaited<ReturnType<typeof engineHome>>;

/** File sinks get a client, as every sink does, and leave it alone. */
const noDatabase: WithSinkClient = (work) => work({} as PoolClient);

/** A data directory and an engine over it, removed after the test file. */
export async function engineHome(limits: Partial<EngineLimits> = {}) {
  const home = await realpath(await mkdtemp(join(tmpdir(), 'sluice-engine-')));
  afterAll(() => rm(home, { recursive: true, force: true }));
  const dataDir = join(home, 'data');
  await mkdir(dataDir);
  const files = createFileResolver({ dataDirs: [dataDir], uploadsDir: join(home, 'uploads') });
  const engine: Engine = createEngine({
    files,
    limits: { memoryMb: 300, threads: 2, tempMb: 2_000, ...limits },
    scratchDir: join(home, 'scratch'),
    clock: systemClock,
  });
  let runs = 0;

  async function stagingDir(): Promise<string> {
    runs += 1;
    const directory = join(home, `staging-${runs}`);
    await mkdir(directory);
    return directory;
  }

  const pipelineOf = (spec: Spec) =>
    parsePipeline({
      steps: [],
      expectations: [],
      sink: { ndjson: { uri: 'file:out/rows.ndjson' } },
      options: { errorBudget: {} },
      ...spec,
    });

  /** Checks and evaluates, as launch and worker do. */
  async function run(spec: Spec, signal = new AbortController().signal, withSinkClient = noDatabase): Promise<Ran> {
    const pipeline = pipelineOf(spec);
    await engine.check(pipeline, withSinkClient);
    const evaluation = await engine.evaluate({ pipeline, stagingDir: await stagingDir(), withSinkClient, signal });
    const lines = await linesOf(evaluation.parts);
    return {
      evaluation,
      lines,
      rows: lines.map((line) => JSON.parse(line) as Record<string, unknown>),
      bad: await badRowsOf(evaluation.parts),
    };
  }

  return {
    home,
    dataDir,
    files,
    engine,
    stagingDir,
    pipelineOf,
    run,
    /** Puts a file into the data directory. @returns its URI */
    async write(name: string, content: string | Buffer): Promise<string> {
      const path = join(dataDir, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
      return `file:${name}`;
    },
    /** Every mistake that stops the pipeline, at the check or while it runs. */
    async failures(spec: Spec, withSinkClient = noDatabase): Promise<readonly Failure[]> {
      try {
        await run(spec, undefined, withSinkClient);
      } catch (error) {
        if (error instanceof UserErrors) return error.errors.map(failureOf);
        if (error instanceof SluiceError) return [failureOf(error)];
        throw error;
      }
      throw new Error('The pipeline ran, though it should not.');
    },
  };
}

const failureOf = ({ code, path, message, details }: SluiceError): Failure => ({
  code,
  path,
  message,
  ...(details && { details }),
});

/** `read = good + filtered + deduplicated + quarantined + reshaped`. */
export function isBalanced(e: Evaluation): boolean {
  return e.rowsRead === e.rowsGood + e.rowsFiltered + e.rowsDeduplicated + e.rowsQuarantined + e.rowsReshaped;
}

async function linesOf(parts: readonly Part[]): Promise<readonly string[]> {
  const file = parts.find((part) => part.kind === 'FILE');
  if (file === undefined) return [];
  return (await readFile(file.uri, 'utf8')).split('\n').filter((line) => line !== '' && line.startsWith('{'));
}

async function badRowsOf(parts: readonly Part[]): Promise<readonly BadRow[]> {
  const rows: BadRow[] = [];
  for (const part of parts.filter(({ kind }) => kind === 'QUARANTINE')) {
    for (const [rowNumber, file, reasons, raw] of await copyRows(part)) {
      rows.push({
        rowNumber: rowNumber === null || rowNumber === undefined ? null : Number(rowNumber),
        file: file ?? null,
        // Quarantine parts hold what the engine has written: a list of reasons.
        reasons: JSON.parse(reasons ?? '[]') as BadRow['reasons'],
        raw: raw ?? '',
      });
    }
  }
  return rows;
}

const ESCAPED: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', '\\': '\\' };

/** The values of a part in PostgreSQL's COPY text format. */
export async function copyRows(part: Part): Promise<readonly (readonly (string | null)[])[]> {
  const file = await readFile(part.uri);
  const text = file.subarray(part.offset, part.offset + part.bytes).toString('utf8');
  const lines = text.split('\n').slice(0, -1);
  const rows = lines.filter((line) => !line.startsWith('\u0001\\!'));
  return rows.map((line) =>
    line
      .split('\t')
      .map((value) => (value === '\\N' ? null : value.replace(/\\(.)/g, (_, c: string) => ESCAPED[c] ?? c))),
  );
}

/** Folders and files that an evaluation has left in its staging folder. */
export const leftIn = (directory: string): Promise<string[]> => readdir(directory).catch(() => []);
