import { beforeAll, describe, expect, it } from 'vitest';
import { NO_SETTINGS } from '../../escalation/job-settings.js';
import { loadOrgChart } from '../../escalation/org-chart.js';
import { defaultPolicy } from '../../escalation/policy-defaults.js';
import type { EscalationStore, NewEscalation } from '../../escalation/ports.js';
import { roleLookup } from '../../escalation/role-lookup.js';
import { openState, type RoleLookup, transition } from '../../escalation/transition.js';
import { newId } from '../../src/core/ids.js';
import { openEscalationStores } from '../../src/store/open-escalation-stores.js';
import type { Pool } from '../../src/store/pool.js';
import { freshDatabase } from '../support/database.js';
import { storeReport } from '../support/failure-report.js';

const TENANT = 'default';
let pool: Pool;
let stores: ReturnType<typeof openEscalationStores>;
let lookup: RoleLookup;
beforeAll(async () => {
  ({ pool } = await freshDatabase());
  stores = openEscalationStores(pool);
  lookup = roleLookup(await loadOrgChart());
});

async function aNewEscalation(pipeline: string): Promise<NewEscalation> {
  const policy = defaultPolicy('PIPELINE_DECISION');
  const at = await stores.escalations.now();
  const { state, effects } = openState({ policy, owner: 'layer-12', lookup }, at);
  const report = {
    id: newId(),
    tenant: TENANT,
    kind: 'FAILED' as const,
    source: 'MONITOR' as const,
    jobId: null,
    pipeline,
    target: null,
    owner: 'layer-12',
    code: 'EXPECTATION_FAILED' as const,
    failureClass: 'PIPELINE_DECISION' as const,
    message: 'Expectations failed.',
    details: {},
    at,
    settings: NO_SETTINGS,
  };
  const evidence = { hash: 'e'.repeat(64), bundle: { stage: 'EVALUATING' } };
  const rule = 'expectation-failed';
  const facts = { title: 'orders', failureClass: report.failureClass, rule, confidence: 1, evidence };
  return { id: newId(), report, policy, state, effects, ...facts };
}

const makeDue = (ids: readonly string[]) =>
  pool.query('update sluice.escalation set due_at = statement_timestamp() where id = any($1)', [ids]);

/** One round of an escalator. */
const moveDue = (store: EscalationStore, limit: number) =>
  store.due(limit, (escalation, policy, now) => {
    const event = { kind: 'DUE' } as const;
    const { state, effects } = transition(escalation.state, event, now, { policy, owner: escalation.owner, lookup });
    const cause = { actor: 'engine', dueAt: escalation.state.dueAt, comment: null };
    return { escalation, event, next: state, effects, cause };
  });

describe('escalations in the database', () => {
  it('are open once per key, however many open them at once', async () => {
    const opened = await Promise.all(
      Array.from({ length: 20 }, async () => stores.escalations.open(await aNewEscalation('once'))),
    );
    expect(opened.filter(Boolean)).toHaveLength(1);
    const { totalCount } = await stores.escalations.list(TENANT, {}, { first: 10, after: null });
    expect(totalCount).toBe(1);
  });

  it('count a report once, however many have taken it up', async () => {
    const fresh = await aNewEscalation('twice');
    await stores.escalations.open(fresh);
    const escalation = await stores.escalations.get(TENANT, fresh.id);
    if (!escalation) throw new Error('not there');
    const stored = await storeReport(pool, { pipeline: 'twice', target: null });
    const report = { ...stored, settings: NO_SETTINGS };
    const counted = await Promise.all([1, 2, 3].map(() => stores.escalations.occurred(escalation, report)));
    expect(counted.filter(Boolean)).toHaveLength(1);
    expect(await stores.escalations.get(TENANT, fresh.id)).toMatchObject({ occurrences: 2 });
    expect(await stores.escalations.open({ ...(await aNewEscalation('anew')), report })).toBe(false);
    expect(await stores.entries.ofEscalation(TENANT, fresh.id)).toHaveLength(2);
  });

  it('move one step each when two escalators claim at once', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 30; i++) {
      const fresh = await aNewEscalation(`due ${i}`);
      await stores.escalations.open(fresh);
      ids.push(fresh.id);
    }
    await makeDue(ids);
    const other = openEscalationStores(pool).escalations;
    let moved = 0;
    while (moved < ids.length) {
      moved += (await Promise.all([moveDue(stores.escalations, 7), moveDue(other, 7)])).reduce((a, b) => a + b);
    }
    expect(moved).toBe(ids.length);
    for (const id of ids) {
      expect(await stores.escalations.get(TENANT, id)).toMatchObject({ version: 2, state: { step: 1 } });
    }
    const { rows } = await pool.query(
      'select count(*)::int as n from sluice.notification where escalation_id = any($1)',
      [ids],
    );
    expect(rows).toEqual([{ n: 2 * ids.length }]);
    expect(await stores.entries.verify(TENANT)).toBeNull();
  });

  it('move also when the policy that they are pinned to is gone', async () => {
    const orphan = await aNewEscalation('orphan');
    await stores.escalations.open({ ...orphan, policy: { ...orphan.policy, id: 'deleted', version: 7 } });
    const other = await aNewEscalation('other');
    await stores.escalations.open(other);
    await makeDue([orphan.id, other.id]);
    expect(await moveDue(stores.escalations, 10)).toBe(2);
    expect(await stores.escalations.get(TENANT, orphan.id)).toMatchObject({ state: { step: 1 } });
  });

  it('take one of two writes that have seen the same version', async () => {
    const fresh = await aNewEscalation('conflict');
    await stores.escalations.open(fresh);
    const escalation = await stores.escalations.get(TENANT, fresh.id);
    if (!escalation) throw new Error('not there');
    const write = (agent: string) => {
      const event = { kind: 'ACKNOWLEDGE', agent } as const;
      const context = { policy: fresh.policy, owner: 'layer-12', lookup };
      const { state, effects } = transition(escalation.state, event, new Date(0), context);
      const cause = { actor: agent, dueAt: null, comment: null };
      return stores.escalations.change({ escalation, event, next: state, effects, cause });
    };
    const written = await Promise.all([write('chief-2'), write('agent-0')]);
    expect(written.filter((one) => one !== null)).toHaveLength(1);
    expect(await stores.escalations.get(TENANT, fresh.id)).toMatchObject({ version: 2 });
  });

  it('are listed page by page, newest first, and by agent', async () => {
    const seen: string[] = [];
    for (let after: string | null = null; ; ) {
      const page = await stores.escalations.list(TENANT, { agent: 'chief-2' }, { first: 4, after });
      seen.push(...page.items.map(({ node }) => node.id));
      after = page.items.at(-1)?.cursor ?? null;
      if (!page.hasNextPage) {
        expect(new Set(seen).size).toBe(page.totalCount);
        break;
      }
    }
    await expect(stores.escalations.list(TENANT, {}, { first: 4, after: 'nonsense' })).rejects.toMatchObject({
      code: 'CURSOR_INVALID',
    });
  });
});

describe('reports', () => {
  it('come back when whoever took them is gone, and only then', async () => {
    await pool.query(
      `insert into sluice.failure_report (id, kind, source, pipeline, owner, code, failure_class, message)
       values ($1, 'FAILED', 'MONITOR', 'backlog', 'layer-12', 'OBJECTIVE_MISSED', 'QUEUE_PERFORMANCE', 'late')`,
      [newId()],
    );
    expect(await stores.escalations.takeReports(10, 60_000)).toHaveLength(1);
    expect(await stores.escalations.takeReports(10, 60_000)).toEqual([]);
    await pool.query('update sluice.failure_report set lease_until = statement_timestamp() - interval $$1 ms$$');
    const [report] = await stores.escalations.takeReports(10, 60_000);
    await stores.escalations.reportDone(report?.id ?? '');
    await pool.query('update sluice.failure_report set lease_until = null');
    expect(await stores.escalations.takeReports(10, 60_000)).toEqual([]);
  });
});

describe('policies', () => {
  it('are kept in versions, and saved by who has seen the last one', async () => {
    const { version: _, ...policy } = { ...defaultPolicy('PIPELINE_DECISION'), id: 'mine', pipeline: 'orders' };
    expect(await stores.policies.save(TENANT, policy, 1, 'chief-2')).toBeNull();
    expect(await stores.policies.save(TENANT, policy, 0, 'chief-2')).toMatchObject({ version: 1 });
    expect(await stores.policies.save(TENANT, policy, 0, 'chief-2')).toBeNull();
    expect(await stores.policies.save(TENANT, { ...policy, repeat: 3 }, 1, 'chief-2')).toMatchObject({ version: 2 });
    expect(await stores.policies.get(TENANT, 'mine', 1)).toMatchObject({ version: 1, repeat: policy.repeat });
    expect(await stores.policies.find(TENANT, 'PIPELINE_DECISION', 'orders')).toMatchObject({ id: 'mine', version: 2 });
    expect(await stores.policies.find(TENANT, 'PIPELINE_DECISION', 'others')).toMatchObject({ version: 0 });
    expect(await stores.policies.find('elsewhere', 'PIPELINE_DECISION', 'orders')).toMatchObject({ version: 0 });
  });

  it('of before some member was there are read with its default', async () => {
    const { version: _, catchUp: __, ...old } = { ...defaultPolicy('QUEUE_PERFORMANCE'), id: 'old' };
    await pool.query(
      `insert into sluice.escalation_policy (id, version, failure_class, spec, saved_by)
       values ('old', 1, 'QUEUE_PERFORMANCE', $1, 'chief-2')`,
      [JSON.stringify(old)],
    );
    expect(await stores.policies.get(TENANT, 'old')).toEqual({ ...old, version: 1, catchUp: 'NEXT_STEP' });
  });
});

describe('contacts', () => {
  it('keep the secret before the newest, so that receivers can change over', async () => {
    const contact = { agent: 'chief-2', channel: 'WEBHOOK', address: 'https://a.example', isEnabled: true } as const;
    const secrets = async () => (await stores.contacts.find(TENANT, 'chief-2', 'WEBHOOK'))?.secrets;
    await stores.contacts.save(TENANT, contact, 'one');
    await stores.contacts.save(TENANT, contact, null);
    expect(await secrets()).toEqual(['one']);
    await stores.contacts.save(TENANT, contact, 'two');
    expect(await secrets()).toEqual(['two', 'one']);
    await stores.contacts.save(TENANT, contact, 'three');
    expect(await secrets()).toEqual(['three', 'two']);
    await stores.contacts.disable(TENANT, 'chief-2', 'WEBHOOK', 'gone');
    expect(await stores.contacts.list(TENANT)).toMatchObject([{ isEnabled: false, disabledReason: 'gone' }]);
  });
});
