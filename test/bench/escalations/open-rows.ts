import { randomBytes } from 'node:crypto';
import type { Client } from 'pg';
import { parsePolicy } from '../../../escalation/parse-policy.js';

const HOUR_MS = 3_600_000;

/** Agents of the default roster. */
export const agentId = (index: number): string => `layer-${index + 1}`;

export const aSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

/** Each agent has a ladder that begins with it and goes on with its neighbour, an hour each, by webhook. */
export async function saveLadders(db: Client, urls: readonly string[], secret: string): Promise<void> {
  for (const [index, url] of urls.entries()) {
    const step = (agent: string) => ({ ask: [{ agent }], waitMs: HOUR_MS, channels: ['WEBHOOK'] });
    const next = agentId((index + 1) % urls.length);
    const spec = parsePolicy({
      id: `ladder-${index}`,
      failureClass: 'PIPELINE_DECISION',
      pipeline: `pipeline-${index}`,
      steps: [step(agentId(index)), step(next)],
      repeat: 100,
    });
    await db.query(
      `insert into sluice.escalation_policy (id, version, failure_class, pipeline, spec, saved_by)
       values ($1, 1, $2, $3, $4, 'bench')`,
      [spec.id, spec.failureClass, spec.pipeline, JSON.stringify(spec)],
    );
    await db.query(
      `insert into sluice.agent_contact (agent, channel, address, secrets) values ($1, 'WEBHOOK', $2, array[$3])`,
      [agentId(index), url, secret],
    );
  }
}

/** Escalations that wait for their first agent and are due within the next days; spread over the ladders. */
export async function openEscalations(db: Client, count: number, ladders: number): Promise<void> {
  await db.query(
    `insert into sluice.escalation (id, dedup_key, title, failure_class, rule, confidence, owner, pipeline, policy_id,
       policy_version, status, state, due_at, agents, evidence_hash)
     select gen_random_uuid(), 'bench ' || n, 'orders: the target drifted', 'PIPELINE_DECISION', 'bench', 1, 'layer-12',
       'pipeline-' || n % $2, 'ladder-' || n % $2, 1, 'ASKING',
       jsonb_build_object('step', 0, 'round', 0, 'climb', 0, 'asked', jsonb_build_array('layer-' || n % $2 + 1),
         'declined', '[]'::jsonb, 'holder', null, 'votes', '[]'::jsonb, 'verdict', null, 'failures', '{}'::jsonb),
       statement_timestamp() + (1 + random() * 47) * interval '1 hour', array['layer-' || n % $2 + 1], 'none'
     from generate_series(1, $1::int) as n`,
    [count, ladders],
  );
  await db.query('vacuum analyze sluice.escalation');
}

export interface Due {
  /** Escalation -> when it is due, epoch milliseconds. */
  readonly dueAt: ReadonlyMap<string, number>;
}

/** Makes `count` of those that still wait due, evenly spread over so many seconds, from `inSeconds` on. */
export async function makeDue(db: Client, count: number, inSeconds: number, overSeconds: number): Promise<Due> {
  const { rows } = await db.query<{ id: string; due: number }>(
    `with chosen as (
       select id, row_number() over (order by random()) as n from sluice.escalation
       where version = 1 and due_at > statement_timestamp() + interval '30 minutes' limit $1
     )
     update sluice.escalation as e
     set due_at = date_trunc('milliseconds', statement_timestamp())
       + ($2::float8 + (chosen.n - 1) * $3::float8 / $1::int) * interval '1 second'
     from chosen where e.id = chosen.id
     returning e.id, extract(epoch from e.due_at)::float8 * 1000 as due`,
    [count, inSeconds, overSeconds],
  );
  if (rows.length !== count) throw new Error(`Only ${rows.length} of ${count} escalations were left.`);
  // Rows that are there twice from the update must not slow down what is measured.
  await db.query('vacuum analyze sluice.escalation');
  return { dueAt: new Map(rows.map(({ id, due }) => [id, due])) };
}

export interface Step {
  readonly escalation: string;
  /** Epoch milliseconds. */
  readonly committedAt: number;
}

/**
 * When the steps of these escalations were committed, with their outbox rows: by the server's own record of commits, and
 * where it keeps none, by the log's time just before the commit.
 */
export async function committedSteps(db: Client, { dueAt }: Due): Promise<readonly Step[]> {
  const { rows: settings } = await db.query<{ is_on: boolean }>(
    `select current_setting('track_commit_timestamp') = 'on' as is_on`,
  );
  const committed = settings[0]?.is_on ? 'pg_xact_commit_timestamp(log.xmin)' : 'log.at';
  const { rows } = await db.query<Step>(
    `select log.escalation_id as escalation, extract(epoch from ${committed})::float8 * 1000 as "committedAt"
     from sluice.escalation_log as log
     join sluice.notification using (escalation_id)
     where log.kind = 'DUE' and log.escalation_id = any($1)`,
    [[...dueAt.keys()]],
  );
  return rows;
}
