import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { newId } from '../../src/core/ids.js';
import { createSuccessMetricsStore } from '../../src/store/success-metrics-store.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});

const WINDOW_MS = 3_600_000;
const MOVING = ['QUEUED', 'RUNNING'];
const RESTING = ['RETRYING', 'PAUSED', 'AWAITING_DECISION'];
const FINAL = ['SUCCEEDED', 'FAILED', 'CANCELLED', 'DEAD'];

/** The states of a job, each with its begin in seconds after the earliest moment of the test. */
type History = readonly { readonly state: string; readonly at: number }[];

/** Queued and run, perhaps resting in between, and perhaps ended: over two hours, of which the window is the second. */
const history = fc
  .tuple(
    fc.array(fc.tuple(fc.integer({ min: 1, max: 1_500 }), fc.constantFrom(...MOVING, ...RESTING)), { maxLength: 6 }),
    fc.integer({ min: 0, max: 6_000 }),
    fc.integer({ min: 1, max: 2_000 }),
    fc.option(fc.constantFrom(...FINAL), { freq: 6 }),
  )
  .map(([steps, start, last, end]): History => {
    const states = [{ state: 'QUEUED', at: start }];
    const append = (after: number, state: string) =>
      states.push({ state, at: Math.min(7_200, (states.at(-1)?.at ?? 0) + after) });
    for (const [after, state] of steps) append(after, state);
    if (end !== null) append(last, end);
    return states;
  });

async function insert(histories: readonly History[], origin: Date): Promise<void> {
  for (const states of histories) {
    const id = newId();
    const [first, last] = [states.at(0), states.at(-1)];
    const isFinal = FINAL.includes(last?.state ?? '');
    await database.pool.query(
      `insert into sluice.job (id, kind, name, owner, state, spec, spec_hash, last_seq, created_at, updated_at, finished_at)
       values ($1, 'ETL', 'test', 'layer-12', $2, '{}', '', $3, $4::timestamptz + $5 * interval '1 s',
         $4::timestamptz + $6 * interval '1 s', case when $7 then $4::timestamptz + $6 * interval '1 s' end)`,
      [id, last?.state, states.length, origin, first?.at, last?.at, isFinal],
    );
    await database.pool.query(
      `insert into sluice.job_event (job_id, seq, at, kind, state, progress)
       select $1, n, $2::timestamptz + at * interval '1 s', 'STATE', state, '{}'
       from unnest($3::text[], $4::float8[]) with ordinality as one (state, at, n)`,
      [id, origin, states.map(({ state }) => state), states.map(({ at }) => at)],
    );
  }
}

/** The same by hand: how long any job moves between two moments, in ms after the origin. */
function workMs(histories: readonly History[], from: number, to: number): number {
  const spans = histories.flatMap((states) =>
    states.flatMap(({ state, at }, i) =>
      MOVING.includes(state) ? [[Math.max(from, at * 1_000), (states[i + 1]?.at ?? to / 1_000) * 1_000] as const] : [],
    ),
  );
  let [work, reach] = [0, from];
  for (const [begin, end] of spans.sort((a, b) => a[0] - b[0])) {
    work += Math.max(0, end - Math.max(begin, reach));
    reach = Math.max(reach, end);
  }
  return work;
}

it('is the time in which any job is queued or running, whatever they went through', async () => {
  const seed = Date.now() % 2 ** 31;
  await fc.assert(
    fc.asyncProperty(fc.array(history, { maxLength: 8 }), async (histories) => {
      await database.pool.query('delete from sluice.job');
      const now = async () => (await database.pool.query<{ at: Date }>('select clock_timestamp() as at')).rows[0]?.at;
      const origin = new Date(((await now())?.getTime() ?? 0) - 2 * WINDOW_MS);
      await insert(histories, origin);
      const before = ((await now())?.getTime() ?? 0) - origin.getTime();
      const counts = await createSuccessMetricsStore(database.pool).counts(null, WINDOW_MS);
      const after = ((await now())?.getTime() ?? 0) - origin.getTime();
      // While the statement is on its way the window moves on: what it leaves, and what jobs that go on gain.
      const [early, late] = [before, after].map((at) => workMs(histories, at - WINDOW_MS, at));
      const slack = after - before + 5;
      expect(counts.workMs).toBeGreaterThanOrEqual(Math.min(early ?? 0, late ?? 0) - slack);
      expect(counts.workMs).toBeLessThanOrEqual(Math.max(early ?? 0, late ?? 0) + slack);
    }),
    { seed, numRuns: 60, verbose: 1 },
  );
});
