import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../src/core/clock.js';
import { newId } from '../../src/core/ids.js';
import { createEngine } from '../../src/engine/create-engine.js';
import type { WithSinkClient } from '../../src/engine/engine.js';
import { createFileResolver } from '../../src/engine/files/file-resolver.js';
import { parsePipeline } from '../../src/engine/parse-pipeline.js';
import type { Evaluation } from '../../src/engine/pipeline.js';
import { type Pool, withTransaction } from '../../src/store/pool.js';

/** A folder with an engine of Sluice over it. */
export type Loader = ReturnType<typeof createLoader>;

export function createLoader(home: string, pool: Pool) {
  const files = createFileResolver({ dataDirs: [home], uploadsDir: home });
  const limits = { memoryMb: 300, threads: 2, tempMb: 2_000 };
  const engine = createEngine({ files, limits, scratchDir: join(home, 'scratch'), clock: systemClock });
  const withSinkClient: WithSinkClient = async (work) => {
    const client = await pool.connect();
    try {
      return await work(client);
    } finally {
      client.release();
    }
  };

  return {
    /**
     * Loads a file of the columns `id` and `v` into the table, as a job does: whatever is not there afterwards went to
     * quarantine.
     * @param cast what a cast step makes of `v`, beside the name; without it the target's type alone decides
     */
    async load(csv: Buffer, table: string, cast: object | null): Promise<Evaluation> {
      const name = `${table}-${newId()}.csv`;
      await writeFile(join(home, name), csv);
      const pipeline = parsePipeline({
        source: { csv: { uri: `file:${name}`, columns: ['id', 'v'], header: false } },
        steps: cast === null ? [] : [{ cast: { columns: [{ name: 'v', ...cast }] } }],
        expectations: [],
        sink: { postgres: { table } },
        options: { errorBudget: {} },
      });
      const stagingDir = await mkdtemp(join(home, 'staging-'));
      const { signal } = new AbortController();
      try {
        const evaluation = await engine.evaluate({ pipeline, stagingDir, withSinkClient, signal });
        const { sink } = pipeline;
        const prepared = await withTransaction(pool, (client) =>
          sink.prepare(client, { id: newId() }, evaluation.output, files),
        );
        for (const part of evaluation.parts.filter(({ kind }) => kind === 'ROWS'))
          await withTransaction(pool, (client) => sink.load({ client, signal }, prepared, part));
        const loaded = { rows: Number(evaluation.rowsGood), parts: async () => evaluation.parts };
        await withTransaction(pool, (client) => sink.publish({ client, signal }, prepared, loaded));
        return evaluation;
      } finally {
        await rm(stagingDir, { recursive: true, force: true });
        await rm(join(home, name));
      }
    },
  };
}
