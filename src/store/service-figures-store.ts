import { ESCALATION_STATUSES } from '../../escalation/escalation.js';
import { FAILURE_CLASSES } from '../core/failure-class.js';
import { levelOf, type UtilisationLevel, utilisation } from '../jobs/monitors/rules.js';
import type { Snapshot } from '../jobs/monitors/snapshot.js';
import type { SuccessMetric } from '../jobs/monitors/success-metrics.js';
import { DEFAULT_WINDOW_MS } from '../jobs/monitors/success-metrics-service.js';
import { readSnapshot } from './monitor-store.js';
import { type Pool, type Queryable, withTransaction } from './pool.js';

/** What operators are told of the service, over all tenants. */
interface ServiceFigures extends Omit<Snapshot, 'metrics'> {
  readonly successMetrics: readonly SuccessMetric[];
  /** Percent of the slots; null without any worker. */
  readonly utilisation: number | null;
  readonly level: UtilisationLevel | null;
  /** Every class with every status that is not RESOLVED. */
  readonly openEscalations: readonly { readonly class: string; readonly status: string; readonly count: number }[];
  readonly undeliveredNotifications: readonly { readonly state: 'PENDING' | 'DEAD'; readonly count: number }[];
}

/** Nobody waits longer for figures, and a database that is this slow has better things to do. */
const TIMEOUT_MS = 5_000;

async function readOpenEscalations(db: Queryable): Promise<ServiceFigures['openEscalations']> {
  const { rows } = await db.query<{ failure_class: string; status: string; count: bigint }>(
    `select failure_class, status, count(*) from sluice.escalation where status <> 'RESOLVED' group by failure_class, status`,
  );
  const statuses = ESCALATION_STATUSES.filter((status) => status !== 'RESOLVED');
  return FAILURE_CLASSES.flatMap((failureClass) =>
    statuses.map((status) => {
      const row = rows.find((each) => each.failure_class === failureClass && each.status === status);
      return { class: failureClass, status, count: Number(row?.count ?? 0) };
    }),
  );
}

async function readUndelivered(db: Queryable): Promise<ServiceFigures['undeliveredNotifications']> {
  const { rows } = await db.query<{ pending: bigint; dead: bigint }>(
    `select (select count(*) from sluice.notification where state = 'PENDING') as pending,
       (select count(*) from sluice.notification where state = 'DEAD') as dead`,
  );
  return [
    { state: 'PENDING', count: Number(rows[0]?.pending ?? 0) },
    { state: 'DEAD', count: Number(rows[0]?.dead ?? 0) },
  ];
}

/** Reads the figures of the moment, and of the last hour. */
export const readServiceFigures = (pool: Pool): Promise<ServiceFigures> =>
  withTransaction(pool, async (client) => {
    await client.query(`select set_config('statement_timeout', $1, true)`, [String(TIMEOUT_MS)]);
    const openEscalations = await readOpenEscalations(client);
    const undeliveredNotifications = await readUndelivered(client);
    const { metrics: successMetrics, ...moment } = await readSnapshot(client, DEFAULT_WINDOW_MS);
    const percent = utilisation(moment);
    const level = percent === null ? null : levelOf(percent);
    return { ...moment, successMetrics, utilisation: percent, level, openEscalations, undeliveredNotifications };
  });
