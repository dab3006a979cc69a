import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { newId } from '../../src/core/ids.js';
import type { Column } from '../../src/engine/column.js';
import type { Component } from '../../src/engine/component.js';
import { createFileResolver } from '../../src/engine/files/file-resolver.js';
import type { HttpEndpoints, Part, PreparedSink, Recheck, SinkBinding } from '../../src/engine/sinks/sink.js';
import { type Pool, type PoolClient, withTransaction } from '../../src/store/pool.js';

export type Row = readonly (string | number | null)[];

/** A value as COPY's text format has it. */
const field = (value: string | number | null) =>
  value === null
    ? '\\N'
    : String(value).replace(/[\\\t\n\r]/g, (c) => ({ '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' })[c] ?? c);

/** Rows of the columns `id` and `v` as a sink has them that stages JSON. */
export const jsonText = (rows: readonly Row[]) => rows.map(([id, v]) => `${JSON.stringify({ id, v })}\n`).join('');

export const copyText = (rows: readonly Row[]) => rows.map((row) => `${row.map(field).join('\t')}\n`).join('');

/** `id INTEGER, name VARCHAR` as columns. */
export const columnsOf = (text: string): readonly Column[] =>
  text.split(/, (?![^(]*\))/).map((each) => {
    const at = each.indexOf(' ');
    return { name: each.slice(0, at), type: each.slice(at + 1) };
  });

/** A folder of its own with a staging area and a data directory; removed after the test file. */
export async function sinkHome(endpoints?: HttpEndpoints) {
  const home = await realpath(await mkdtemp(join(tmpdir(), 'sluice-sink-')));
  const files = createFileResolver({ dataDirs: [home], uploadsDir: home });
  afterAll(() => rm(home, { recursive: true, force: true }));
  let written = 0;
  const part = async (ordinal: number, text: string, kind: Part['kind'] = 'ROWS', rows: number | null = null) => {
    const uri = join(home, `part-${written++}`);
    await writeFile(uri, text);
    return { ordinal, kind, uri, offset: 0, bytes: Buffer.byteLength(text), expectedRows: rows } satisfies Part;
  };
  return { home, files, part, endpoints };
}

export type SinkHome = Awaited<ReturnType<typeof sinkHome>>;

/** One job's way through a sink, as the runner takes it: every step in a transaction of its own. */
export function loadJob(pool: Pool, home: SinkHome, sink: SinkBinding, output: readonly Column[], id = newId()) {
  let prepared: PreparedSink | undefined;
  const parts: Part[] = [];
  /** What was read back, of parts and of the publication, in the order in which they were committed. */
  const rechecks: (Recheck | null)[] = [];
  const signal = new AbortController().signal;
  const known = () => {
    if (!prepared) throw new Error('not prepared');
    return prepared;
  };
  const inTransaction = <T>(work: (client: PoolClient) => Promise<T>) => withTransaction(pool, work);
  const job = {
    id,
    output,
    prepared: known,
    inspect: () => inTransaction((client) => sink.inspect(client, output, home.files, home.endpoints)),
    async prepare() {
      // Through JSON, as the job row keeps it.
      const made = await inTransaction((client) => sink.prepare(client, { id }, output, home.files));
      prepared = JSON.parse(JSON.stringify(made)) as PreparedSink;
      return prepared;
    },
    rechecks,
    /** @returns rows loaded */
    async load(part: Part, stop = signal) {
      const { endpoints } = home;
      const { rows, recheck } = await inTransaction((client) =>
        sink.load({ client, signal: stop, endpoints }, known(), part),
      );
      parts.push({ ...part, expectedRows: rows });
      rechecks.push(recheck);
      return rows;
    },
    publishIn(client: PoolClient, stop = signal) {
      const rows = parts.reduce((sum, part) => sum + (part.expectedRows ?? 0), 0);
      return sink.publish({ client, signal: stop }, known(), { rows, parts: async () => parts });
    },
    async publish(stop = signal) {
      rechecks.push(await inTransaction((client) => job.publishIn(client, stop)));
    },
    discard: () => inTransaction((client) => sink.discard(client, known())),
    /** The whole way: the rows split over as many parts as are given. */
    async run(...parts: readonly (readonly Row[])[]) {
      await job.prepare();
      let rows = 0;
      for (const [ordinal, chunk] of parts.entries()) rows += await job.load(await home.part(ordinal, copyText(chunk)));
      await job.publish();
      return rows;
    },
  };
  return job;
}

export const bindSink = (component: Component<SinkBinding>, options: unknown): SinkBinding =>
  component.parse(options, ['sink', component.name]).binding;
