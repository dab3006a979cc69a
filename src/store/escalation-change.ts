import type { Effect, Escalation, EscalationState } from '../../escalation/escalation.js';
import type { Change } from '../../escalation/ports.js';
import { newId } from '../core/ids.js';
import type { NewLogEntry } from './escalation-log.js';
import { columnsOf, type EscalationRow, escalationOf } from './escalation-row.js';
import type { Queryable } from './pool.js';

type Notify = Extract<Effect, { readonly kind: 'NOTIFY' }>;
const notifies = (effects: readonly Effect[]): readonly Notify[] =>
  effects.filter((effect) => effect.kind === 'NOTIFY');

const unique = (ids: readonly string[]): readonly string[] => [...new Set(ids)];

/** Whom the effects turn to. */
export const notifiedBy = (effects: readonly Effect[]): readonly string[] =>
  unique(notifies(effects).flatMap(({ agents }) => agents));

/** Everybody who has to do with it now, for filters. */
export const concerned = (state: EscalationState, effects: readonly Effect[]): readonly string[] =>
  unique([...state.asked, ...(state.holder === null ? [] : [state.holder]), ...notifiedBy(effects)]);

/** Puts what the effects tell into the outbox; a logical notification that is there already stays the one it is. */
export async function storeNotifications(
  db: Queryable,
  changes: readonly { readonly tenant: string; readonly id: string; readonly effects: readonly Effect[] }[],
): Promise<void> {
  const rows = changes.flatMap(({ tenant, id, effects }) =>
    notifies(effects).flatMap(({ agents, ...notify }) =>
      agents.map((agent) => ({ id: newId(), tenant, escalation: id, agent, ...notify })),
    ),
  );
  if (rows.length === 0) return;
  await db.query(
    `insert into sluice.notification (id, tenant, escalation_id, round, step, agent, purpose, channels)
     select id, tenant, escalation, round, step, agent, purpose, channels
     from jsonb_to_recordset($1) as n (id uuid, tenant text, escalation uuid, round int, step int, agent text,
       purpose text, channels text[])
     on conflict (escalation_id, round, step, agent) do nothing`,
    [JSON.stringify(rows)],
  );
}

/** Stores the states of changes whose version is still the one they were decided on. @returns by id, as they are then */
export async function storeStates(db: Queryable, changes: readonly Change[]): Promise<ReadonlyMap<string, Escalation>> {
  const rows = changes.map(({ escalation, next, effects }) => ({
    id: escalation.id,
    version: escalation.version,
    agents: concerned(next, effects),
    ...columnsOf(next),
  }));
  const { rows: stored } = await db.query<EscalationRow>(
    `update sluice.escalation as e
     set status = c.status, state = c.state, due_at = c.due_at, agents = c.agents, version = e.version + 1,
       resolved_at = case when c.status = 'RESOLVED' then coalesce(e.resolved_at, statement_timestamp()) end
     from jsonb_to_recordset($1) as c (id uuid, version int, status text, state jsonb, due_at timestamptz, agents text[])
     where e.id = c.id and e.version = c.version returning e.*`,
    [JSON.stringify(rows)],
  );
  return new Map(stored.map((row) => [row.id, escalationOf(row)]));
}

/** What the log keeps of a change: enough to say why this agent was asked at this time. */
export function logEntryFor({ escalation, event, next, effects, cause }: Change): NewLogEntry {
  const { kind, ...given } = event;
  const agents = unique([...notifiedBy(effects), ...(next.holder === null ? [] : [next.holder])]);
  return {
    escalationId: escalation.id,
    kind,
    actor: cause.actor,
    agents,
    status: next.status,
    data: {
      policyId: escalation.policyId,
      policyVersion: escalation.policyVersion,
      rule: escalation.rule,
      step: next.step,
      round: next.round,
      dueAt: cause.dueAt,
      nextDueAt: next.dueAt,
      asked: next.asked,
      comment: cause.comment,
      ...(Object.keys(given).length > 0 && { event: given }),
    },
  };
}
