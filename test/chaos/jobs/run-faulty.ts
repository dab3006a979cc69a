// Loaded into a process before it starts: breaks it at a statement that it is told, as crashes, servers and networks do.
// Says of itself what it has run, so that the harness knows every statement that there is.
import pg from 'pg';
import { type Fault, keyOf, type Order, type Word } from './fault.js';

const HOUR_MS = 3_600_000;

type Query = (this: pg.Client, ...args: unknown[]) => unknown;
type Callback = (error: Error | null, result?: unknown) => void;

let armed: Fault | null = null;
let seen = 0;
let counts: Record<string, number> = {};
const lastKeys = new WeakMap<pg.Client, string>();

// pg gives its client these, and its types do not tell.
const insideOf = (client: pg.Client) =>
  client as unknown as { processID: number | null; connection: { stream: { destroy(): void } } };

const prototype = pg.Client.prototype as unknown as { query: Query };
const { query } = prototype;

const tell = (word: Word): void => void process.send?.(word);

process.on('message', (order: Order) => {
  if ('arm' in order) {
    armed = order.arm;
    seen = 0;
  } else {
    tell({ counted: counts });
    counts = {};
  }
});
// The harness is gone: nobody would end this process any more.
process.once('disconnect', () => process.exit(0));

const textOf = (first: unknown): string => {
  if (typeof first === 'string') return first;
  if (typeof first !== 'object' || first === null || !('text' in first)) return '';
  return String(first.text);
};

/** A commit is told from others by the statement before it. */
function statementKey(client: pg.Client, text: string): string {
  const key = keyOf(text);
  const full = key === 'commit' ? `commit < ${lastKeys.get(client) ?? ''}` : key;
  lastKeys.set(client, key);
  return full;
}

function faultAt(key: string): Fault | null {
  counts[key] = (counts[key] ?? 0) + 1;
  if (armed?.key !== key) return null;
  seen += 1;
  if (seen < armed.nth) return null;
  const fault = armed;
  armed = null;
  tell({ fired: fault.id });
  return fault;
}

async function terminate(pid: number | null): Promise<void> {
  const admin = new pg.Client({ connectionString: process.env.FAULT_DATABASE_URL });
  try {
    await admin.connect();
    await query.call(admin, 'select pg_terminate_backend($1)', [pid]);
  } finally {
    await admin.end().catch(() => undefined);
  }
}

function jump(): void {
  const { now } = Date;
  const byMs = process.pid % 2 === 0 ? HOUR_MS : -HOUR_MS;
  Date.now = () => now() + byMs;
}

/** @throws Error when the answer of the statement is to be lost */
async function strike({ kind, moment }: Fault, client: pg.Client): Promise<void> {
  const { processID, connection } = insideOf(client);
  if (kind === 'KILL') process.kill(process.pid, 'SIGKILL');
  if (kind === 'CLOCK') jump();
  if (kind === 'TERMINATE') await terminate(processID).catch(() => undefined);
  if (kind !== 'CUT') return;
  connection.stream.destroy();
  if (moment === 'AFTER') throw new Error('Connection terminated unexpectedly');
}

prototype.query = function faultyQuery(this: pg.Client, ...args: unknown[]): unknown {
  const text = textOf(args[0]);
  const fault = text === '' ? null : faultAt(statementKey(this, text));
  if (fault === null) return query.apply(this, args);
  const go = () => query.apply(this, args);
  const hit = () => strike(fault, this);

  // A COPY is a stream, which its caller needs at once.
  const isStream = typeof args[0] === 'object' && args[0] !== null && 'submit' in args[0];
  if (isStream) {
    if (fault.moment === 'BEFORE') void hit();
    const stream = go() as NodeJS.EventEmitter;
    if (fault.moment === 'AFTER') stream.once('finish', () => void hit().catch(() => undefined));
    return stream;
  }
  const last = args.at(-1);
  if (typeof last === 'function') {
    const done = last as Callback;
    if (fault.moment === 'BEFORE') return void hit().finally(go);
    args[args.length - 1] = (error: Error | null, result?: unknown) =>
      void hit().then(
        () => done(error, result),
        (lost: Error) => done(lost),
      );
    return go();
  }
  if (fault.moment === 'BEFORE') return hit().then(go);
  return (go() as Promise<unknown>).then(async (result) => {
    await hit();
    return result;
  });
};
