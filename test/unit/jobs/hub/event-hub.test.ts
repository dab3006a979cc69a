import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLog } from '../../../../src/core/log.js';
import { type EventHub, startEventHub } from '../../../../src/jobs/event-hub.js';
import type { JobEvent } from '../../../../src/jobs/events.js';
import { ManualClock, settled } from '../../../support/manual-clock.js';
import { MemoryEvents } from '../../../support/memory-events.js';

const caller = { tenant: 'default', name: 'test' };
let events: MemoryEvents;
let clock: ManualClock;
let hub: EventHub;

beforeEach(async () => {
  events = new MemoryEvents();
  clock = new ManualClock();
  hub = await startEventHub({ bus: events, reader: events, clock, log: createLog('silent') });
  events.addJob('job');
});

afterEach(async () => {
  await hub.stop();
});

/** A reader that always waits for the next event. */
function eager(stream: AsyncIterableIterator<JobEvent>) {
  const told: JobEvent[] = [];
  const state: { isOver: boolean; error: unknown } = { isOver: false, error: undefined };
  const run = async () => {
    for await (const event of stream) told.push(event);
    state.isOver = true;
  };
  run().catch((error: unknown) => {
    state.error = error;
  });
  return { told, state, leave: () => stream.return?.() };
}

const watch = (afterSeq: number | null = null, id = 'job') => eager(hub.watchJob(caller, id, afterSeq));
const brief = (told: readonly JobEvent[]) => told.map(({ kind, seq }) => `${kind} ${seq}`);

describe('the order of things', () => {
  test('a snapshot comes first, then what happens', async () => {
    const { told } = watch();
    await settled();
    events.happen('job', { kind: 'STATE', state: 'RUNNING' });
    events.happen('job', { kind: 'STAGE' });
    await settled();
    expect(brief(told)).toEqual(['SNAPSHOT 1', 'STATE 2', 'STAGE 3']);
  });

  test('`afterSeq` goes on behind that event, and the snapshot carries the same position', async () => {
    for (let i = 0; i < 4; i += 1) events.happen('job', { kind: 'STAGE' });
    const { told } = watch(2);
    await settled();
    expect(brief(told)).toEqual(['SNAPSHOT 2', 'STAGE 3', 'STAGE 4', 'STAGE 5']);
    expect(told[0]?.state).toBe('QUEUED');
  });

  test('what lands while the snapshot is read is told once', async () => {
    let landed = 0;
    events.beforeRead = () => {
      if (landed < 3) events.happen('job', { kind: 'STAGE' });
      landed += 1;
    };
    const { told } = watch(0);
    await settled();
    await clock.pass(1_000);
    expect(brief(told).slice(1)).toEqual(events.eventsOf('job').map(({ seq, kind }) => `${kind} ${seq}`));
  });

  test('the stream ends with the job, and that of an ended job after what was missed', async () => {
    const live = watch();
    await settled();
    events.happen('job', { kind: 'STATE', state: 'FAILED' });
    await settled();
    expect(live.state.isOver).toBe(true);
    const late = watch(1);
    const later = watch();
    await settled();
    expect(brief(late.told)).toEqual(['SNAPSHOT 1', 'STATE 2']);
    expect(brief(later.told)).toEqual(['SNAPSHOT 2']);
    expect([late.state.isOver, later.state.isOver]).toEqual([true, true]);
  });

  test('an ended job that was started again is told to its new end', async () => {
    events.happen('job', { kind: 'STATE', state: 'FAILED' });
    events.happen('job', { kind: 'STATE', state: 'QUEUED' });
    const { told, state } = watch(0);
    await settled();
    expect(brief(told)).toEqual(['SNAPSHOT 0', 'STATE 1', 'STATE 2', 'STATE 3']);
    expect(state.isOver).toBe(false);
  });

  test('a history longer than the log is read from the store, in pages', async () => {
    for (let i = 0; i < 1_500; i += 1) events.happen('job', { kind: 'STAGE' });
    const { told } = watch(3);
    await settled();
    await settled();
    expect(told.slice(1).map(({ seq }) => seq)).toEqual(Array.from({ length: 1_498 }, (_, i) => i + 4));
  });
});

describe('refusals', () => {
  test.each([
    ['missing', null, 'JOB_NOT_FOUND'],
    ['job', 2, 'CURSOR_INVALID'],
    ['job', -1, 'INVALID_INPUT'],
  ])('job %s after %s is %s', async (id, afterSeq, code) => {
    const { state } = watch(afterSeq, id);
    await settled();
    expect(state.error).toMatchObject({ code });
    expect(hub.stats()).toMatchObject({ subscribers: 0, channels: 0 });
  });

  test('the job of another tenant is not there', async () => {
    const { state } = eager(hub.watchJob({ tenant: 'other', name: 'x' }, 'job', null));
    await settled();
    expect(state.error).toMatchObject({ code: 'JOB_NOT_FOUND' });
  });

  test('events that are gone are said to be', async () => {
    for (let i = 0; i < 600; i += 1) events.happen('job', { kind: 'STAGE' });
    events.forgetThrough('job', 100);
    const { state } = watch(50);
    await settled();
    expect(state.error).toMatchObject({ code: 'CURSOR_EXPIRED' });
  });

  test('a position that another gateway told, and whose signal was lost here, is good', async () => {
    watch();
    await settled();
    events.isDeaf = true;
    const seq = events.happen('job', { kind: 'STAGE' });
    const { told, state } = watch(seq);
    await settled();
    expect(state.error).toBeUndefined();
    expect(brief(told)).toEqual(['SNAPSHOT 2']);
  });
});

describe('progress', () => {
  test('is told at once, then at most every 250 ms, the latest each time', async () => {
    const { told } = watch();
    await settled();
    for (let i = 1; i <= 30; i += 1) {
      events.happen('job', { rowsLoaded: i * 10 });
      await clock.pass(20);
    }
    await clock.pass(250);
    const progress = told.slice(1).map((event) => event.progress.rowsLoaded);
    expect(progress[0]).toBe(10);
    expect(progress.at(-1)).toBe(300);
    // 600 ms and the rest: at 0, 250, 500 and 750 ms.
    expect(progress).toHaveLength(4);
    expect(hub.stats().conflated).toBeGreaterThan(0);
  });

  test('the last one before a state change is told before it', async () => {
    const { told } = watch();
    await settled();
    for (let i = 1; i <= 5; i += 1) events.happen('job', { rowsLoaded: i });
    events.happen('job', { kind: 'STATE', state: 'SUCCEEDED' });
    await settled();
    const kinds = told.map(({ kind, progress }) => `${kind} ${progress.rowsLoaded}`);
    expect(kinds.slice(-2)).toEqual(['CHUNK 5', 'STATE 5']);
  });

  test('that is not stored comes with the position of the event before it', async () => {
    const { told } = watch();
    await settled();
    events.signal({ jobId: 'job', tenant: 'default', seq: 1, stageProgress: 0.5 });
    await settled();
    expect(told.at(-1)).toMatchObject({ kind: 'PROGRESS', seq: 1, progress: { stageProgress: 0.5 } });
    // Measured before an event that is known by now.
    events.happen('job', { kind: 'STAGE' });
    await settled();
    events.signal({ jobId: 'job', tenant: 'default', seq: 1, stageProgress: 0.9 });
    await clock.pass(500);
    expect(brief(told)).toEqual(['SNAPSHOT 1', 'PROGRESS 1', 'STAGE 2']);
  });

  test('no count goes down, although a snapshot is newer than the events behind it', async () => {
    events.happen('job', { rowsLoaded: 10 });
    events.happen('job', { rowsLoaded: 90 });
    const { told } = watch(0);
    await settled();
    await clock.pass(300);
    expect(told.every(({ progress }) => progress.rowsLoaded === 90)).toBe(true);
  });

  test('nonsense on the bus changes nothing', async () => {
    const { told } = watch();
    await settled();
    for (const payload of [null, 5, {}, { jobId: 'job' }, { jobId: 'job', tenant: 'default', seq: -1 }])
      events.signal(payload as never);
    await settled();
    expect(told).toHaveLength(1);
  });
});

describe('slow readers', () => {
  test('miss no state change, are told that they lag, and cost no buffer', async () => {
    const stream = hub.watchJob(caller, 'job', null);
    await stream.next();
    for (let i = 1; i <= 5_000; i += 1) {
      events.happen('job', i % 100 === 0 ? { kind: 'STAGE' } : { rowsLoaded: i });
      if (i % 50 === 0) await settled();
    }
    await clock.pass(5_000);
    events.happen('job', { kind: 'STATE', state: 'SUCCEEDED' });
    const told: JobEvent[] = [];
    for await (const event of stream) told.push(event);
    expect(told[0]?.kind).toBe('LAGGED');
    const kept = told.filter(({ kind }) => kind === 'STAGE' || kind === 'STATE').map(({ seq }) => seq);
    const happened = events.eventsOf('job').filter(({ kind, seq }) => kind !== 'CHUNK' && seq > 1);
    expect(kept).toEqual(happened.map(({ seq }) => seq));
    expect(told.length).toBeLessThan(200);
    expect(hub.stats()).toMatchObject({ lagged: 1, subscribers: 0 });
  });

  test('that come back a little late within the log are told what was merged', async () => {
    const stream = hub.watchJob(caller, 'job', null);
    await stream.next();
    events.happen('job', { rowsLoaded: 1 });
    events.happen('job', { rowsLoaded: 2 });
    await clock.pass(1_500);
    const { value } = await stream.next();
    expect(value).toMatchObject({ kind: 'LAGGED', seq: 1 });
    expect((await stream.next()).value).toMatchObject({ kind: 'CHUNK', seq: 3 });
    await stream.return?.();
  });
});

describe('what is lost', () => {
  test('is found by the safety poll within a second', async () => {
    const { told } = watch();
    await settled();
    events.isDeaf = true;
    events.happen('job', { kind: 'STATE', state: 'RUNNING' });
    await clock.pass(1_000);
    expect(brief(told)).toEqual(['SNAPSHOT 1', 'STATE 2']);
    expect(hub.stats().healed).toBe(1);
  });

  test('is read at once after a gap of the bus', async () => {
    const { told } = watch();
    await settled();
    events.isDeaf = true;
    events.happen('job', { kind: 'STATE', state: 'RUNNING' });
    events.gap();
    await settled();
    expect(brief(told)).toEqual(['SNAPSHOT 1', 'STATE 2']);
  });

  test('comes when the database is back', async () => {
    const { told, state } = watch();
    await settled();
    events.isDown = true;
    events.happen('job', { kind: 'STATE', state: 'RUNNING' });
    await clock.pass(3_000);
    expect(told).toHaveLength(1);
    events.isDown = false;
    await clock.pass(1_000);
    expect(brief(told)).toEqual(['SNAPSHOT 1', 'STATE 2']);
    expect(state.error).toBeUndefined();
  });

  test('reaches a reader that is behind when the database is back', async () => {
    for (let i = 0; i < 400; i += 1) events.happen('job', { kind: 'STAGE' });
    watch();
    await settled();
    events.isDown = true;
    const { told, state } = watch(0);
    await clock.pass(3_000);
    expect(brief(told)).toEqual(['SNAPSHOT 0']);
    events.isDown = false;
    await clock.pass(1_000);
    expect(told.map(({ seq }) => seq)).toEqual(Array.from({ length: 402 }, (_, seq) => seq));
    expect(state.error).toBeUndefined();
  });
});

describe('cost', () => {
  test('a thousand subscribers of one job share its reads', async () => {
    const readers = Array.from({ length: 1_000 }, () => watch(0));
    await settled();
    expect(events.reads).toBeLessThanOrEqual(3);
    const before = events.reads;
    for (let i = 0; i < 10; i += 1) {
      events.happen('job', { kind: 'STAGE' });
      await settled();
    }
    expect(events.reads - before).toBeLessThanOrEqual(20);
    for (const { told } of readers) expect(told).toHaveLength(12);
    for (const { leave } of readers) await leave();
    expect(hub.stats()).toMatchObject({ subscribers: 0, channels: 0 });
  });

  test('nothing stays behind, however and whenever readers leave', async () => {
    const timers = clock.pending;
    const never = hub.watchJob(caller, 'job', null);
    await never.return?.();
    const opening = hub.watchJob(caller, 'job', null);
    const first = opening.next();
    await opening.return?.();
    expect((await first).done).toBe(true);
    const waiting = watch();
    await settled();
    await waiting.leave();
    await settled();
    expect(waiting.state.isOver).toBe(true);
    const inTheMiddle = watch();
    await settled();
    for (let i = 0; i < 3; i += 1) events.happen('job');
    await settled();
    await inTheMiddle.leave();
    expect(hub.stats()).toMatchObject({ subscribers: 0, channels: 0 });
    expect(clock.pending).toBe(timers);
    const reads = events.reads;
    events.happen('job');
    await clock.pass(10_000);
    expect(events.reads).toBe(reads);
  });

  test('stopping ends every stream', async () => {
    const reader = watch();
    const feed = eager(hub.watchFeed(caller, {}));
    await settled();
    await hub.stop();
    await settled();
    expect([reader.state.isOver, feed.state.isOver]).toEqual([true, true]);
  });
});

describe('the feed', () => {
  test('tells snapshots of jobs that have not ended, then the events of every job, new ones included', async () => {
    events.addJob('ended');
    events.happen('ended', { kind: 'STATE', state: 'SUCCEEDED' });
    const { told } = eager(hub.watchFeed(caller, {}));
    await settled();
    expect(told.map(({ jobId, kind }) => `${jobId} ${kind}`)).toEqual(['job SNAPSHOT']);
    events.addJob('new');
    events.happen('new', { kind: 'STATE', state: 'RUNNING' });
    events.happen('job', { kind: 'STATE', state: 'CANCELLED' });
    events.happen('new', { kind: 'STATE', state: 'SUCCEEDED' });
    await settled();
    const states = told.slice(1).map(({ jobId, state }) => `${jobId} ${state}`);
    expect(states.filter((text) => text.startsWith('new'))).toEqual(['new QUEUED', 'new RUNNING', 'new SUCCEEDED']);
    expect(states.filter((text) => text.startsWith('job'))).toEqual(['job CANCELLED']);
  });

  test('tells only what matches, and nothing of other tenants', async () => {
    events.addJob('named', { name: 'invoices' });
    events.addJob('foreign', { tenant: 'other', name: 'invoices' });
    const named = eager(hub.watchFeed(caller, { name: 'invoices' }));
    const running = eager(hub.watchFeed(caller, { states: ['RUNNING'] }));
    await settled();
    for (const id of ['job', 'named', 'foreign']) events.happen(id, { kind: 'STATE', state: 'RUNNING' });
    events.happen('job', { kind: 'STATE', state: 'FAILED' });
    await settled();
    expect(named.told.map(({ jobId, kind }) => `${jobId} ${kind}`)).toEqual(['named SNAPSHOT', 'named STATE']);
    expect(running.told.map(({ jobId, state }) => `${jobId} ${state}`)).toEqual(['job RUNNING', 'named RUNNING']);
  });

  test('finds jobs whose signals were lost', async () => {
    const { told } = eager(hub.watchFeed(caller, {}));
    await settled();
    events.isDeaf = true;
    events.addJob('quiet', { createdAt: new Date('2026-11-24T00:00:00Z') });
    await clock.pass(5_000);
    expect(told.map(({ jobId, kind }) => `${jobId} ${kind}`)).toEqual(['job SNAPSHOT', 'quiet STATE']);
  });

  test('a slow reader of a busy feed is told every state in the end', async () => {
    const stream = hub.watchFeed(caller, {});
    await stream.next();
    for (let i = 0; i < 1_000; i += 1) {
      events.addJob(`j${i}`);
      for (let k = 0; k < 10; k += 1) events.happen(`j${i}`, { rowsLoaded: k });
      events.happen(`j${i}`, { kind: 'STATE', state: 'SUCCEEDED' });
      await settled();
    }
    const told: JobEvent[] = [];
    const read = async () => {
      for await (const event of stream) told.push(event);
    };
    void read();
    await clock.pass(1_000);
    const states = told.filter(({ kind }) => kind === 'STATE').map(({ jobId, seq }) => `${jobId} ${seq}`);
    expect(states).toHaveLength(2_000);
    expect(new Set(states).size).toBe(2_000);
    expect(told.some(({ kind }) => kind === 'LAGGED')).toBe(true);
    await stream.return?.();
    expect(hub.stats()).toMatchObject({ subscribers: 0, channels: 0 });
  });
});

describe('flushing', () => {
  test('waits until everybody has read what is stored, signal or not', async () => {
    const { told } = watch();
    await settled();
    events.isDeaf = true;
    events.happen('job', { kind: 'STAGE' });
    await Promise.all([hub.flush(1_000), clock.pass(100)]);
    expect(brief(told)).toEqual(['SNAPSHOT 1', 'STAGE 2']);
  });

  test('is over in time when somebody does not read', async () => {
    const stream = hub.watchJob(caller, 'job', null);
    await stream.next();
    await settled();
    let isOver = false;
    const flushed = hub.flush(1_000).then(() => {
      isOver = true;
    });
    await clock.pass(900);
    expect(isOver).toBe(false);
    await clock.pass(200);
    await flushed;
    await stream.return?.();
  });
});
