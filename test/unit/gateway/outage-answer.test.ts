import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLog } from '../../../src/core/log.js';
import { installErrorHandlers } from '../../../src/gateway/http-errors.js';
import { answerOutages } from '../../../src/gateway/outage-answer.js';
import { eventually } from '../../support/eventually.js';
import { ManualClock } from '../../support/manual-clock.js';

let clock: ManualClock;
let database: boolean;
let checks: number;
let reached: number;
let release: () => void;
/** The question takes until this. */
let asked: Promise<void>;
let server: FastifyInstance;

beforeEach(() => {
  clock = new ManualClock();
  database = true;
  checks = 0;
  asked = Promise.resolve();
  reached = 0;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  server = fastify();
  installErrorHandlers(server, createLog('silent'));
  answerOutages(server, clock, async () => {
    checks += 1;
    await asked;
    return { database, queue: true, bus: true };
  });
  server.get('/slow', async () => {
    reached += 1;
    await released;
    return { answer: 42 };
  });
});
afterEach(() => server.close());

/** Requests that have reached their handler. @returns their answers, when they come */
async function ask(count = 1) {
  const requests = Array.from({ length: count }, async () => {
    const response = await server.inject('/slow');
    return {
      statusCode: response.statusCode,
      retryAfter: response.headers['retry-after'],
      body: response.json<unknown>(),
    };
  });
  await eventually(() => reached === count);
  return { answers: Promise.all(requests) };
}

test('a request that is quick costs no check', async () => {
  release();
  const { answers } = await ask();
  expect(await answers).toEqual([{ statusCode: 200, retryAfter: undefined, body: { answer: 42 } }]);
  await clock.pass(5_000);
  expect(checks).toBe(0);
});

test('slow work goes on for as long as the database answers others', async () => {
  const { answers } = await ask();
  await clock.pass(10_000);
  expect(checks).toBeGreaterThan(5);
  release();
  expect(await answers).toMatchObject([{ statusCode: 200 }]);
});

test('whoever waits for a database that is silent is told to try again', async () => {
  const { answers } = await ask();
  await clock.pass(2_000);
  database = false;
  await clock.pass(500);
  const message = 'A server that this needs does not answer at the moment; try again.';
  expect(await answers).toEqual([{ statusCode: 503, retryAfter: '2', body: { code: 'UNAVAILABLE', message } }]);
  // What the handler says later is for nobody.
  release();
  const before = checks;
  await clock.pass(5_000);
  expect(checks).toBe(before);
});

test('many that wait ask one question', async () => {
  let answer = () => {};
  asked = new Promise((resolve) => {
    answer = resolve;
  });
  const { answers } = await ask(20);
  database = false;
  await clock.pass(500);
  answer();
  expect((await answers).every(({ statusCode }) => statusCode === 503)).toBe(true);
  expect(checks).toBe(1);
});
