import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { LogEntry } from '../../escalation/ports.js';
import type { EscalationService } from '../../escalation/service.js';
import { SluiceError } from '../../src/core/errors.js';
import { eventually } from '../support/eventually.js';
import { TOKEN, testGateway } from '../support/gateway.js';
import { aLogEntry, anEscalation, stubEscalations } from '../support/stub-escalations.js';

type Watch = EscalationService['watch'];
let watch: Watch;
const gateway = await testGateway({ escalations: stubEscalations({ watch: (...args) => watch(...args) }) });

/** Waits for the abort, as a source does that has nothing more to tell for now. */
const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

const subscribe = (query: string, variables: Record<string, unknown> = {}) =>
  gateway.socketClient().iterate<{ escalationEvents: Record<string, unknown> }>({ query, variables });

const QUERY = `subscription ($filter: EscalationEventFilter, $afterSeq: Long) {
  escalationEvents(filter: $filter, afterSeq: $afterSeq) {
    seq kind actor status escalationId agents { id } data hash prevHash escalation { id version } } }`;

test('rows behind afterSeq come first, then the live ones, each with its escalation', async () => {
  let asked: unknown;
  let tell: ((entry: LogEntry) => void) | undefined;
  watch = async function* (...[tenant, filter, afterSeq]) {
    asked = [tenant, filter, afterSeq];
    yield aLogEntry({ seq: 6 });
    yield await new Promise<LogEntry>((resolve) => {
      tell = resolve;
    });
  };
  const filter = { agent: 'chief-2', escalationId: anEscalation().id };
  const events = subscribe(QUERY, { filter, afterSeq: 5 });
  const first = await events.next();
  expect(first.value?.data?.escalationEvents).toMatchObject({
    ...{ seq: 6, kind: 'OPEN', actor: 'job', agents: [{ id: 'chief-2' }] },
    escalation: { id: anEscalation().id, version: 1 },
  });
  expect(asked).toEqual(['default', filter, 5]);
  const second = events.next();
  await eventually(() => tell !== undefined);
  tell?.(aLogEntry({ seq: 7, kind: 'ACKNOWLEDGE', actor: 'chief-2', status: 'ACKNOWLEDGED' }));
  expect((await second).value?.data?.escalationEvents).toMatchObject({ seq: 7, kind: 'ACKNOWLEDGE' });
  expect((await events.next()).done).toBe(true);
});

test('without afterSeq it begins now', async () => {
  let asked: unknown;
  watch = async function* (_tenant, filter, afterSeq) {
    asked = [filter, afterSeq];
    yield* [];
  };
  expect((await subscribe(QUERY).next()).done).toBe(true);
  expect(asked).toEqual([{}, null]);
});

test('leaving aborts a source that waits, and lets it clean up', async () => {
  const seen: string[] = [];
  watch = async function* (_tenant, _filter, _afterSeq, signal) {
    try {
      yield aLogEntry();
      await aborted(signal);
      seen.push('aborted');
    } finally {
      seen.push('cleaned up');
    }
  };
  const events = subscribe(QUERY);
  await events.next();
  void events.next();
  await events.return?.();
  await eventually(() => seen.length === 2);
  expect(seen).toEqual(['aborted', 'cleaned up']);
});

test('a socket that breaks aborts its source too', async () => {
  let signal: AbortSignal | undefined;
  watch = async function* (...args) {
    signal = args[3];
    await aborted(args[3]);
    yield* [];
  };
  const client = gateway.socketClient();
  void client
    .iterate({ query: QUERY })
    .next()
    .catch(() => {});
  await eventually(() => signal !== undefined);
  client.terminate();
  await eventually(() => signal?.aborted === true);
});

test.each([
  [{ filter: { agent: 'nobody' } }, 'UNKNOWN_AGENT'],
  [{ filter: { escalationId: 'x' } }, 'ESCALATION_NOT_FOUND'],
  [{ afterSeq: -1 }, 'INVALID_INPUT'],
])('%o is refused as %s', async (variables, code) => {
  watch = async function* () {
    yield* [];
  };
  const refused = await subscribe(QUERY, variables)
    .next()
    .then(
      ({ value }) => value?.errors,
      (errors: unknown) => errors,
    );
  expect(refused).toMatchObject([{ extensions: { code } }]);
});

test('what the source throws ends the subscription with its code', async () => {
  watch = async function* () {
    yield aLogEntry();
    throw new SluiceError('DATABASE_UNREACHABLE', 'PostgreSQL does not answer.');
  };
  const events = subscribe(QUERY);
  await events.next();
  const refused = await events.next().then(
    ({ value }) => value?.errors,
    (errors: unknown) => errors,
  );
  expect(refused).toMatchObject([{ extensions: { code: 'DATABASE_UNREACHABLE' } }]);
});

test('a reader that does not read makes the source wait instead of filling memory', async () => {
  let told = 0;
  let leaving: AbortSignal | undefined;
  const text = 'x'.repeat(200_000);
  watch = async function* (_tenant, _filter, _afterSeq, signal) {
    leaving = signal;
    while (!signal.aborted) {
      // As a source does that reads from a database.
      await setImmediate();
      told += 1;
      yield aLogEntry({ seq: told, data: { text } });
    }
  };
  const socket = new WebSocket(gateway.socketUrl, 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${TOKEN}` } }));
  await once(socket, 'message');
  socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query: QUERY } }));
  await once(socket, 'message');
  socket.pause();
  // Still when nothing has come for a while: the buffers of the two sockets are full.
  let before = -1;
  let quietRounds = 0;
  await eventually(() => {
    quietRounds = told === before ? quietRounds + 1 : 0;
    before = told;
    return quietRounds >= 20;
  });
  // Sockets of this machine hold a few megabytes; a buffer without bounds would hold all that was ever told.
  expect(told).toBeLessThan(1_000);
  socket.terminate();
  await eventually(() => leaving?.aborted === true);
});
