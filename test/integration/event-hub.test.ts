import fc from 'fast-check';
import { type Client, createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { systemClock } from '../../src/core/clock.js';
import { newId } from '../../src/core/ids.js';
import { createLog } from '../../src/core/log.js';
import { type EventHub, startEventHub } from '../../src/jobs/event-hub.js';
import type { JobEvent } from '../../src/jobs/events.js';
import type { EventBus } from '../../src/jobs/ports.js';
import { createPostgresBus } from '../../src/messaging/postgres-bus.js';
import { createEventStore } from '../../src/store/event-store.js';
import { TOUCH, withEvent } from '../../src/store/job-change.js';
import { createJobStore } from '../../src/store/job-store.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { type TestGateway, TOKEN, testGateway } from '../support/gateway.js';

const log = createLog('silent');
const announcer = { inTransaction: true, announce: () => {} };
let database: TestDatabase;

interface Place {
  readonly bus: EventBus;
  readonly hub: EventHub;
  readonly gateway: TestGateway;
}
const places: Place[] = [];

/** A gateway with its own hub and its own connection to LISTEN on. */
async function openPlace(): Promise<Place> {
  const bus = await createPostgresBus({ url: database.url, pool: database.pool, clock: systemClock, log });
  const hub = await startEventHub({ bus, reader: createEventStore(database.pool), clock: systemClock, log });
  return { bus, hub, gateway: await testGateway({ watcher: hub }) };
}

beforeAll(async () => {
  database = await freshDatabase();
  // Registered first, so that it runs after the gateways have stopped.
  afterAll(async () => {
    for (const { hub, bus } of places) {
      await hub.stop();
      await bus.close();
    }
  });
  places.push(await openPlace(), await openPlace());
});

const place = (index: number): Place => {
  const found = places[index % places.length];
  if (!found) throw new Error('no gateway');
  return found;
};

async function launch(): Promise<string> {
  const jobs = createJobStore(database.pool, announcer);
  const id = newId();
  await jobs.insert({
    id,
    tenant: 'default',
    kind: 'ETL',
    name: 'orders',
    owner: 'layer-12',
    spec: {},
    specHash: id,
    idempotencyKey: null,
    priority: 0,
    maxAttempts: 5,
    timeoutMs: null,
  });
  return id;
}

type Kind = 'STATE' | 'STAGE' | 'CHUNK';

/** Something happens to a job, as the stores write it: the change, its event and its NOTIFY in one statement. */
async function happen(id: string, kind: Kind, state = 'RUNNING', message = 'x'): Promise<void> {
  const sql = withEvent(announcer, {
    change: `update sluice.job as job set state = $2, rows_loaded = job.rows_loaded + $3, ${TOUCH}
      where job.id = $1 returning job.*`,
    kind,
    message: '$4::text',
  });
  await database.pool.query(sql, [id, state, kind === 'CHUNK' ? 10 : 0, message]);
}

const WATCH = `subscription ($jobId: ID!, $afterSeq: Long) {
  jobEvents(jobId: $jobId, afterSeq: $afterSeq) { seq kind state message progress { rowsLoaded } }
}`;
type Told = Pick<JobEvent, 'seq' | 'kind' | 'state' | 'progress'>;

/** A client on a socket that the test can break or pause. */
function connect({ gateway }: Place): { client: Client; socket: () => WebSocket | undefined } {
  let socket: WebSocket | undefined;
  class Recorded extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      socket = this;
    }
  }
  const connectionParams = { authorization: `Bearer ${TOKEN}` };
  const client = createClient({ url: gateway.socketUrl, webSocketImpl: Recorded, connectionParams, retryAttempts: 0 });
  return { client, socket: () => socket };
}

const eventOf = (result: { data?: unknown }): Told => {
  // The shape that WATCH asks for.
  const data = result.data as { jobEvents: Told } | null | undefined;
  if (!data) throw new Error(JSON.stringify(result));
  return data.jobEvents;
};

test('readers that come back on any gateway while events land miss none and get none twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom<Kind>('STAGE', 'CHUNK', 'CHUNK', 'STATE'), { minLength: 20, maxLength: 60 }),
      fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 5, maxLength: 5 }),
      async (kinds, patience) => {
        const id = await launch();
        const writing = (async () => {
          for (const kind of kinds) await happen(id, kind);
          await happen(id, 'STATE', 'SUCCEEDED');
        })();
        const told: Told[] = [];
        let afterSeq = 0;
        let isOver = false;
        for (let round = 0; !isOver; round += 1) {
          const { client, socket } = connect(place(round));
          let left = patience[round] ?? Number.POSITIVE_INFINITY;
          try {
            for await (const result of client.iterate({ query: WATCH, variables: { jobId: id, afterSeq } })) {
              const event = eventOf(result);
              afterSeq = event.seq;
              told.push(event);
              left -= 1;
              if (left <= 0) socket()?.terminate();
            }
            isOver = true;
          } catch {
            // Broken on purpose: the next round goes on behind the last event.
          } finally {
            await client.dispose();
          }
        }
        await writing;
        const stored = await createEventStore(database.pool).readAfter('default', id, 0, 1_000);
        const isKept = ({ kind }: Told) => kind === 'STATE' || kind === 'STAGE';
        expect(told.filter(isKept).map(({ seq }) => seq)).toEqual(stored.filter(isKept).map(({ seq }) => seq));
        const seqs = told.filter(({ kind }) => kind !== 'SNAPSHOT' && kind !== 'LAGGED').map(({ seq }) => seq);
        expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
        expect(told.at(-1)?.state).toBe('SUCCEEDED');
        expect(told.at(-1)?.progress.rowsLoaded).toBe(stored.at(-1)?.progress.rowsLoaded);
      },
    ),
    { numRuns: 8 },
  );
  await eventually(() => places.every(({ hub }) => hub.stats().subscribers === 0 && hub.stats().channels === 0));
});

test('a reader whose socket is paused lags, misses no stage, and is caught up', async () => {
  const id = await launch();
  const { client, socket } = connect(place(0));
  const lagged = place(0).hub.stats().lagged;
  const told: Told[] = [];
  const reading = (async () => {
    for await (const result of client.iterate({ query: WATCH, variables: { jobId: id, afterSeq: 0 } }))
      told.push(eventOf(result));
  })();
  await eventually(() => told.length >= 2);
  socket()?.pause();
  // 24 MB of answers: more than the kernels' buffers of both ends hold.
  await database.pool.query(
    `with job as (update sluice.job as job set state = 'RUNNING', last_seq = last_seq + 1200 where id = $1 returning job.*)
     insert into sluice.job_event (job_id, seq, kind, state, progress, message)
     select job.id, 1 + n, case when n % 2 = 0 then 'CHUNK' else 'STAGE' end, 'RUNNING',
       (select progress from sluice.job_event where job_id = job.id and seq = 1), repeat('x', 40000)
     from job, generate_series(1, 1200) as n`,
    [id],
  );
  await happen(id, 'STAGE');
  await happen(id, 'STATE', 'SUCCEEDED');
  socket()?.resume();
  await reading;
  await client.dispose();
  const stages = told.filter(({ kind }) => kind === 'STAGE').map(({ seq }) => seq);
  expect(stages).toEqual([...Array.from({ length: 600 }, (_, i) => 2 + 2 * i), 1_202]);
  expect(told.at(-1)).toMatchObject({ kind: 'STATE', state: 'SUCCEEDED', seq: 1_203 });
  expect(place(0).hub.stats().lagged).toBeGreaterThan(lagged);
});

describe('refusals reach the client as errors of the operation', () => {
  const firstOf = async (variables: object) => {
    const { client } = connect(place(1));
    try {
      for await (const result of client.iterate({ query: WATCH, variables: { ...variables } })) return result;
      return undefined;
    } catch (error) {
      return error;
    } finally {
      await client.dispose();
    }
  };

  test.each([
    [() => ({ jobId: newId() }), 'JOB_NOT_FOUND'],
    [() => ({ jobId: 'no id at all' }), 'JOB_NOT_FOUND'],
    [async () => ({ jobId: await launch(), afterSeq: 2 }), 'CURSOR_INVALID'],
    [async () => ({ jobId: await launch(), afterSeq: '9007199254740993' }), 'INVALID_INPUT'],
    [async () => ({ jobId: await launch(), afterSeq: -1 }), 'INVALID_INPUT'],
  ])('%s is %s', async (variables, code) => {
    expect(JSON.stringify(await firstOf(await variables()))).toContain(code);
  });
});

test('the feed tells jobs of every process, from their first event to their last', async () => {
  const { client } = connect(place(1));
  const told: string[] = [];
  const query = 'subscription { jobFeed(filter: { name: "orders", kinds: [ETL] }) { jobId kind state } }';
  const feed = client.iterate<{ jobFeed: { jobId: string; kind: string; state: string } }>({ query });
  const reading = (async () => {
    for await (const { data } of feed) told.push(`${data?.jobFeed.jobId} ${data?.jobFeed.kind} ${data?.jobFeed.state}`);
  })();
  const before = await launch();
  await eventually(() => told.some((line) => line.startsWith(before)));
  const id = await launch();
  await happen(id, 'STATE', 'RUNNING');
  await happen(id, 'STATE', 'SUCCEEDED');
  const wanted = [`${id} STATE QUEUED`, `${id} STATE RUNNING`, `${id} STATE SUCCEEDED`];
  await eventually(() => told.filter((line) => line.startsWith(id)).length >= 3);
  expect(told.filter((line) => line.startsWith(id))).toEqual(wanted);
  await feed.return?.();
  await client.dispose();
  await reading;
  await eventually(() => place(1).hub.stats().subscribers === 0);
});
