import { join } from 'node:path';
import type { EvaluateRequest } from '../engine.js';
import type { OpenSource } from '../open-source.js';
import type { BoundPipeline } from '../parse-pipeline.js';
import type { Relation } from '../relation.js';
import { type Account, accountOfLines, tableOfBadLines } from './accounting.js';
import { BadRecords } from './bad-records.js';
import { MAX_PART_BYTES } from './parts.js';
import { QuarantineLines } from './quarantine-lines.js';
import { writeRejects } from './quarantine-part.js';
import { type ScannedLines, scanLines } from './scan-lines.js';

/** A file of lines, some of them marked, and where they are from. */
export interface LinesReading {
  readonly open: OpenSource;
  readonly request: Omit<EvaluateRequest, 'pipeline'> & { readonly pipeline: BoundPipeline };
  readonly file: string;
  readonly relation: Relation;
}

interface LinesAccount {
  readonly scanned: ScannedLines;
  readonly account: Account;
  /** Null when the bad rows are in the table of bad rows, and not in the quarantine yet. */
  readonly quarantine: QuarantineLines | null;
}

const scan = (
  { file, request: { pipeline, signal } }: LinesReading,
  onBad: (line: number, record: Buffer) => void | Promise<void>,
): Promise<ScannedLines> => scanLines(file, { rows: pipeline.options.chunkRows, bytes: MAX_PART_BYTES }, signal, onBad);

/** Writes the bad rows to the quarantine as they are found. @param rejected records that the reader has rejected */
export async function quarantineOfLines(reading: LinesReading, rejected: number): Promise<LinesAccount> {
  const { session, staged } = reading.open;
  const { stagingDir } = reading.request;
  const rejects = rejected > 0 ? join(stagingDir, 'work', 'rejects') : null;
  if (rejects !== null) await writeRejects(session, rejects);
  const quarantine = await QuarantineLines.create(stagingDir, staged[0]?.uri ?? '', rejects);
  const scanned = await scan(reading, (line, record) => quarantine.add(line, record)).finally(() => quarantine.close());
  return { scanned, account: accountOfLines(reading.relation, scanned, quarantine), quarantine };
}

/** Lays the bad rows into the table of bad rows. */
export async function tableOfLines(
  reading: LinesReading,
  { pass, laidDown }: { readonly pass: number; readonly laidDown: boolean },
): Promise<LinesAccount> {
  const { session, relation: source } = reading.open;
  const records = await BadRecords.create(join(reading.request.stagingDir, 'work', 'bad.ndjson'));
  const scanned = await scan(reading, (line, json) => records.add(line, json)).finally(() => records.close());
  const numbers = laidDown || source.rowNumber !== null ? 'rn' : 'line';
  const kept = { path: records.path, longestBytes: records.longestBytes, numbers } as const;
  const bad = await tableOfBadLines(session, scanned.bad, kept, pass);
  return { scanned, account: accountOfLines(reading.relation, scanned, bad), quarantine: null };
}
