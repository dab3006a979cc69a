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

interface NewNotifications {
  readonly tenant: string;
  readonly id: string;
  readonly effects: readonly Effect[];
}

const rowsOf = ({ tenant, id, effects }: NewNotifications) =>
  notifies(effects).flatMap(({ agents, ...notify }) =>
    agents.map((agent) => ({ id: newId(), tenant, escalation: id, agent, ...notify })),
  );

/** A logical notification that is there already stays the one it is. */
const insertFrom = (json: string, also = '') => `
  insert into sluice.notification (id, tenant, escalation_id, round, step, agent, purpose, channels)
  select n.id, n.tenant, n.escalation, n.round, n.step, n.agent, n.purpose, n.channels
  from jsonb_to_recordset(${json}) as n (id uuid, tenant text, escalation uuid, round int, step int, agent text,
    purpose text, channels text[]) ${also}
  on conflict (escalation_id, round, step, agent) do nothing`;

/** Puts what the effects of a new escalation tell into the outbox. */
export async function storeNotifications(db: Queryable, opened: NewNotifications): Promise<void> {
  const rows = rowsOf(opened);
  if (rows.length > 0) await db.query(insertFrom('$1'), [JSON.stringify(rows)]);
}

/** States whose version is still the one they were decided on, and with them what they tell. */
const storing = (answer: string) => `
  with stored as (
    update sluice.escalation as e
    set status = c.status, state = c.state, due_at = c.due_at, agents = c.agents, version = e.version + 1,
      resolved_at = case when c.status = 'RESOLVED' then coalesce(e.resolved_at, statement_timestamp()) end
    from jsonb_to_recordset($1) as c (id uuid, version int, status text, state jsonb, due_at timestamptz, agents text[])
    where e.id = c.id and e.version = c.version returning e.*
  ), told as (${insertFrom('$2', 'join stored on stored.id = n.escalation')})
  select ${answer} from stored`;

function storedValues(changes: readonly Change[]): readonly string[] {
  const states = changes.map(({ escalation, next, effects }) => ({
    id: escalation.id,
    version: escalation.version,
    agents: concerned(next, effects),
    ...columnsOf(next),
  }));
  const told = changes.flatMap(({ escalation: { tenant, id }, effects }) => rowsOf({ tenant, id, effects }));
  return [JSON.stringify(states), JSON.stringify(told)];
}

/** Stores changes of rows that this transaction has locked: none of them can be stale. */
export async function storeChanges(db: Queryable, changes: readonly Change[]): Promise<void> {
  await db.query(storing('count(*)'), [...storedValues(changes)]);
}

/** @returns the escalation as it is then, or null when its version has moved on */
export async function storeChange(db: Queryable, change: Change): Promise<Escalation | null> {
  const { rows } = await db.query<EscalationRow>(storing('*'), [...storedValues([change])]);
  return rows[0] ? escalationOf(rows[0]) : null;
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
