import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/ids.js';
import type { ServiceFigures } from '../../src/gateway/deps.js';
import type { Pool } from '../../src/store/pool.js';
import { readServiceFigures } from '../../src/store/service-figures-store.js';
import { createWorkerStore } from '../../src/store/worker-store.js';
import { freshDatabase } from '../support/database.js';
import { familiesOf } from '../support/exposition.js';
import { TOKEN, testGateway } from '../support/gateway.js';
import { insertJob, insertRun } from '../support/job-history.js';
import { ManualClock } from '../support/manual-clock.js';

let pool: Pool;
beforeAll(async () => {
  ({ pool } = await freshDatabase());
});
beforeEach(() => pool.query('delete from sluice.job; delete from sluice.worker; delete from sluice.escalation'));

/** A gateway with these figures, and a scrape of it: `name{label="value"}` to value. */
async function scraped(
  figures: () => Promise<ServiceFigures> = async () => ({
    ...(await readServiceFigures(pool)),
    disk: { stagingBytes: 7, uploadsBytes: 9 },
  }),
  clock = new ManualClock(),
) {
  const gateway = await testGateway({ figures, clock });
  return async () => {
    const response = await fetch(`${gateway.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
    expect(response.status).toBe(200);
    return familiesOf(await response.text());
  };
}
type Families = ReturnType<typeof familiesOf>;
const valuesOf = (families: Families, name: string) =>
  Object.fromEntries(
    families.get(name)?.samples.map(({ labels, value }) => [Object.values(labels).join(' '), value]) ?? [],
  );
const figureOf = (families: Families, name: string) => valuesOf(families, name)[''];

async function anEscalation(failureClass: string, status: string, notifications: readonly string[] = []) {
  const id = newId();
  await pool.query(
    `insert into sluice.escalation (id, dedup_key, title, failure_class, rule, confidence, owner, pipeline, policy_id,
       policy_version, status, state, evidence_hash)
     values ($1::uuid, $1::text, '', $2, '', 1, 'layer-12', '', '', 1, $3, '{}', '')`,
    [id, failureClass, status],
  );
  for (const [round, state] of notifications.entries())
    await pool.query(
      `insert into sluice.notification (id, escalation_id, round, step, agent, purpose, channels, state)
       values ($1, $2, $3, 0, 'agent-0', 'ASK', '{FEED}', $4)`,
      [newId(), id, round, state],
    );
}

describe('GET /metrics', () => {
  it('tells how the whole service is, in base units', async () => {
    await createWorkerStore(pool).seen({ id: 'w', slots: 10, busy: 9 });
    for (let n = 0; n < 49; n += 1) await insertRun(pool, 'SUCCEEDED', 60, { rows: 10 });
    await insertRun(pool, 'FAILED');
    await insertJob(pool, { states: [['QUEUED', 420]] });
    await insertJob(pool, { states: [['RUNNING', 1_200]] });
    const byCaller = { code: 'FILE_NOT_FOUND', failureClass: 'INVALID_REQUEST' };
    for (const ago of [60, 700]) await insertRun(pool, 'DEAD', ago, byCaller);
    await anEscalation('CRITICAL_FAILURE', 'ASKING', ['PENDING', 'DELIVERED', 'PENDING']);
    await anEscalation('CRITICAL_FAILURE', 'ASKING', ['DEAD']);
    await anEscalation('CRITICAL_FAILURE', 'RESOLVED');
    await anEscalation('DATA_CORRUPTION', 'HELD');
    const families = await (await scraped())();
    expect(valuesOf(families, 'sluice_success_metric_ratio')).toEqual({
      completion_rate: 0.98,
      failure_rate: 0.02,
      transformation_accuracy: 1,
    });
    expect(valuesOf(families, 'sluice_success_objective_ratio')).toEqual({
      'completion_rate above': 0.99,
      'failure_rate below': 0.01,
      'retry_success above': 0.9,
      'transformation_accuracy above': 0.999,
    });
    // 490 rows in the 20 minutes since the oldest job began.
    const { throughput } = valuesOf(families, 'sluice_success_metric_records_per_second');
    expect(throughput).toBeGreaterThan(490 / 1_260);
    expect(throughput).toBeLessThanOrEqual(490 / 1_200);
    expect(valuesOf(families, 'sluice_success_objective_records_per_second')).toEqual({
      'throughput above': 166.666666667,
    });
    expect(valuesOf(families, 'sluice_success_metric_breached')).toEqual({
      completion_rate: 1,
      throughput: 1,
      failure_rate: 1,
      retry_success: 0,
      transformation_accuracy: 0,
    });
    expect(valuesOf(families, 'sluice_success_metric_samples')).toMatchObject({
      completion_rate: 50,
      retry_success: 0,
      transformation_accuracy: 490,
    });
    expect(figureOf(families, 'sluice_worker_slots')).toBe(10);
    expect(figureOf(families, 'sluice_worker_busy_slots')).toBe(9);
    expect(figureOf(families, 'sluice_worker_utilisation_ratio')).toBe(0.9);
    expect(valuesOf(families, 'sluice_worker_utilisation_level')).toEqual({
      NORMAL: 0,
      BUSY: 0,
      OVERLOADED: 1,
      CRITICAL: 0,
    });
    expect(figureOf(families, 'sluice_jobs_queued')).toBe(1);
    expect(figureOf(families, 'sluice_backlog_age_seconds')).toBeGreaterThanOrEqual(420);
    expect(figureOf(families, 'sluice_jobs_stalled')).toBe(1);
    expect(figureOf(families, 'sluice_dead_letters')).toBe(2);
    expect(figureOf(families, 'sluice_dead_letters_recent')).toBe(1);
    const escalations = valuesOf(families, 'sluice_escalations_open');
    expect(Object.keys(escalations)).toHaveLength(7 * 6);
    expect(Object.fromEntries(Object.entries(escalations).filter(([, count]) => count > 0))).toEqual({
      'CRITICAL_FAILURE ASKING': 2,
      'DATA_CORRUPTION HELD': 1,
    });
    expect(valuesOf(families, 'sluice_notifications_undelivered')).toEqual({ PENDING: 2, DEAD: 1 });
    expect(figureOf(families, 'sluice_database_up')).toBe(1);
    expect(figureOf(families, 'sluice_staging_bytes')).toBe(7);
    expect(figureOf(families, 'sluice_uploads_bytes')).toBe(9);
  });

  it('follows the conventions: a name with its unit, a sentence of help, and no labels without bounds', async () => {
    const families = await (await scraped())();
    const ours = [...families].filter(([name]) => name.startsWith('sluice_'));
    expect(ours.length).toBeGreaterThanOrEqual(20);
    for (const [name, { help, type, samples }] of ours) {
      expect(name).toMatch(/^[a-z_]+$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
      expect(help.length).toBeGreaterThan(10);
      for (const { labels } of samples)
        for (const label of Object.keys(labels))
          expect([
            'metric',
            'relation',
            'level',
            'class',
            'status',
            'state',
            'reason',
            'method',
            'route',
            'le',
          ]).toContain(label);
    }
  });

  it('tells nothing of what there is none of', async () => {
    const families = await (await scraped())();
    expect(valuesOf(families, 'sluice_success_metric_ratio')).toEqual({});
    expect(valuesOf(families, 'sluice_success_metric_records_per_second')).toEqual({});
    expect(valuesOf(families, 'sluice_worker_utilisation_ratio')).toEqual({});
    expect(figureOf(families, 'sluice_worker_slots')).toBe(0);
    expect(figureOf(families, 'sluice_backlog_age_seconds')).toBe(0);
    expect(Object.values(valuesOf(families, 'sluice_worker_utilisation_level'))).toEqual([0, 0, 0, 0]);
  });

  it('asks the database once in 10 s, however many scrape', async () => {
    let reads = 0;
    const clock = new ManualClock();
    const scrape = await scraped(async () => {
      reads += 1;
      return readServiceFigures(pool);
    }, clock);
    await Promise.all(Array.from({ length: 5 }, scrape));
    await clock.pass(9_000);
    await scrape();
    expect(reads).toBe(1);
    await insertJob(pool, { states: [['QUEUED', 60]] });
    await clock.pass(2_000);
    expect(figureOf(await scrape(), 'sluice_jobs_queued')).toBe(1);
    expect(reads).toBe(2);
  });

  it('tells the rest when the database does not answer, and everything when it does again', async () => {
    let read: () => Promise<ServiceFigures> = () => Promise.reject(new Error('away'));
    let reads = 0;
    const clock = new ManualClock();
    const scrape = await scraped(() => {
      reads += 1;
      return read();
    }, clock);
    const without = await scrape();
    expect(figureOf(without, 'sluice_database_up')).toBe(0);
    expect(without.get('sluice_jobs_queued')?.samples).toEqual([]);
    expect(without.get('sluice_escalations_open')?.samples).toEqual([]);
    expect(without.get('sluice_ws_connections')?.samples).toHaveLength(1);
    expect(without.get('process_cpu_seconds_total')?.samples).toHaveLength(1);
    // A reading that hangs keeps no scrape for longer than 3 s, and no second one is begun.
    let answer: (figures: ServiceFigures) => void = () => undefined;
    read = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    reads = 0;
    for (let round = 0; round < 2; round += 1) {
      let late: Families | undefined;
      const scraping = scrape().then((families) => {
        late = families;
      });
      while (late === undefined) await clock.pass(500);
      await scraping;
      expect(figureOf(late, 'sluice_database_up')).toBe(0);
    }
    expect(reads).toBe(1);
    answer(await readServiceFigures(pool));
    expect(figureOf(await scrape(), 'sluice_database_up')).toBe(1);
    expect(reads).toBe(1);
  });
});
