import { beforeAll, describe, expect, it } from 'vitest';
import { contentAddress } from '../../escalation/canonical-json.js';
import type { LogEntry } from '../../escalation/ports.js';
import { newId } from '../../src/core/ids.js';
import { anEscalationDesk, as, done, type EscalationDesk, seen, TENANT } from '../support/escalation-desk.js';
import { eventually } from '../support/eventually.js';

let desk: EscalationDesk;
beforeAll(async () => {
  desk = await anEscalationDesk();
});

const CHIEF = as('chief-2');
const CEO = as('agent-0');
const RETRY = { kind: 'RETRY', patch: null, comment: null } as const;
const refusal = (code: string, path?: readonly string[]) => expect.objectContaining({ code, ...(path && { path }) });

/** By hand, so that no escalator is needed. */
const open = (changes: Partial<Parameters<EscalationDesk['service']['open']>[1]> = {}) =>
  desk.service.open(as('layer-12'), {
    failureClass: 'PIPELINE_DECISION',
    pipeline: `by-hand-${newId()}`,
    target: null,
    owner: 'layer-12',
    message: 'It looks wrong.',
    jobId: null,
    ...changes,
  });

describe('opening by hand', () => {
  it('asks as every failure does, and counts an occurrence while it is open', async () => {
    const escalation = await open();
    expect(escalation).toMatchObject({
      rule: 'opened-by-hand',
      confidence: 1,
      version: 1,
      state: { status: 'ASKING', asked: ['chief-2'] },
    });
    const again = await open({ pipeline: escalation.pipeline });
    expect(again).toMatchObject({ id: escalation.id, occurrences: 2 });
    expect(await desk.notified(escalation)).toEqual(['ASK chief-2']);
    const jobId = await desk.heldJob();
    const ofJob = await open({ jobId, failureClass: 'WORKFLOW_INTEGRATION' });
    expect(ofJob.state.asked).toEqual(['layer-20']);
    expect(await desk.service.byJob(TENANT, jobId)).toMatchObject([{ id: ofJob.id }]);
  });

  it.each([
    [{ owner: 'layer-999' }, refusal('UNKNOWN_OWNER', ['owner'])],
    [{ jobId: newId() }, refusal('JOB_NOT_FOUND', ['jobId'])],
    [{ jobId: 'no-id' }, refusal('JOB_NOT_FOUND', ['jobId'])],
    [{ pipeline: ' ' }, refusal('INVALID_INPUT', ['pipeline'])],
    [{ message: 'x'.repeat(10_001) }, refusal('INVALID_INPUT', ['message'])],
  ])('refuses %j', async (changes, error) => {
    await expect(open(changes)).rejects.toEqual(error);
  });
});

describe('what agents do', () => {
  it('is written on top of the version that the agent has seen', async () => {
    const opened = await open();
    const { service } = desk;
    const acknowledged = done(await service.acknowledge(CHIEF, seen(opened)));
    expect(acknowledged).toMatchObject({ version: 2, state: { status: 'ACKNOWLEDGED', holder: 'chief-2' } });
    expect(await service.claim(CHIEF, seen(opened), null)).toEqual({ kind: 'CONFLICT', current: acknowledged });
    const claimed = done(await service.claim(CHIEF, seen(acknowledged), null));
    expect(claimed.state).toMatchObject({ status: 'CLAIMED', holder: 'chief-2' });
    const renewed = done(await service.renewClaim(CHIEF, seen(claimed), 3_600_000));
    expect(renewed.state.dueAt?.getTime()).toBeGreaterThan(claimed.state.dueAt?.getTime() ?? 0);
    const released = done(await service.releaseClaim(CHIEF, seen(renewed)));
    expect(released.state).toMatchObject({ status: 'ASKING', holder: null, asked: ['chief-2'] });
    const snoozed = done(await service.snooze(CHIEF, seen(released), new Date((await now()) + 3_600_000)));
    expect(snoozed.state.status).toBe('SNOOZED');
    const reassigned = done(await service.reassign(CHIEF, seen(snoozed), 'layer-20'));
    expect(reassigned.state).toMatchObject({ status: 'ASKING', asked: ['layer-20'] });
    const declined = done(await service.decline(as('layer-20'), seen(reassigned), 'Not ours.'));
    expect(declined.state).toMatchObject({ status: 'ASKING', asked: ['agent-0'] });
    const resolved = done(await service.resolve(CEO, seen(declined), 'It was a drill.'));
    expect(resolved.state.status).toBe('RESOLVED');
    expect(resolved.resolvedAt).not.toBeNull();
    const reopened = done(await service.reopen(CHIEF, seen(resolved)));
    expect(reopened.state).toMatchObject({ status: 'ASKING', step: 0, asked: ['chief-2'] });
    const escalated = done(await service.escalate(CHIEF, seen(reopened), null));
    expect(escalated.state.asked).toEqual(['agent-0']);

    const entries = await service.log(TENANT, opened.id);
    expect(entries.map(({ kind, actor }) => `${kind} ${actor}`).slice(1)).toEqual([
      'ACKNOWLEDGE chief-2',
      'CLAIM chief-2',
      'RENEW chief-2',
      'RELEASE chief-2',
      'SNOOZE chief-2',
      'REASSIGN chief-2',
      'DECLINE layer-20',
      'RESOLVE agent-0',
      'REOPEN chief-2',
      'ESCALATE chief-2',
    ]);
    expect(JSON.stringify(entries.find(({ kind }) => kind === 'DECLINE')?.data)).toContain('Not ours.');
    expect(await service.verifyLog(TENANT)).toBeNull();
  });

  const now = async () => (await desk.options.escalations.now()).getTime();

  it('lets one of two win who act at once, and shows the other what it is now', async () => {
    const opened = await open();
    const written = await Promise.all([
      desk.service.claim(CHIEF, seen(opened), null),
      desk.service.claim(CEO, seen(opened), null),
    ]);
    expect(written.map(({ kind }) => kind).toSorted()).toEqual(['CONFLICT', 'DONE']);
    const current = await desk.get(opened.id);
    expect(current.version).toBe(2);
    for (const one of written) expect(one).toMatchObject(one.kind === 'DONE' ? { escalation: current } : { current });
  });

  it('changes nothing when there is nothing to change', async () => {
    const opened = await open();
    expect(await desk.service.reopen(CHIEF, seen(opened))).toEqual({ kind: 'DONE', escalation: opened });
  });

  it('is refused with what is wrong', async () => {
    const { service } = desk;
    const opened = await open({ failureClass: 'DATA_CORRUPTION' });
    const unknown = { id: newId(), expectedVersion: 1 };
    await expect(service.acknowledge(CEO, unknown)).rejects.toEqual(refusal('ESCALATION_NOT_FOUND', ['id']));
    await expect(service.acknowledge(CEO, { ...unknown, id: 'x' })).rejects.toEqual(refusal('ESCALATION_NOT_FOUND'));
    await expect(service.acknowledge({ tenant: 'other', agent: 'agent-0' }, seen(opened))).rejects.toEqual(
      refusal('ESCALATION_NOT_FOUND'),
    );
    await expect(service.acknowledge(as('nobody'), seen(opened))).rejects.toEqual(refusal('UNKNOWN_AGENT', ['agent']));
    await expect(service.reassign(CEO, seen(opened), 'nobody')).rejects.toEqual(refusal('UNKNOWN_AGENT', ['to']));
    await expect(service.submitVerdict(CEO, seen(opened), { ...RETRY, kind: 'SKIP_ROWS' })).rejects.toEqual(
      refusal('VERDICT_NOT_ALLOWED'),
    );
    await expect(service.submitVerdict(CEO, seen(opened), { ...RETRY, patch: {} })).rejects.toEqual(
      refusal('INVALID_INPUT', ['patch']),
    );
    await expect(service.claim(CEO, seen(opened), 5 * 3_600_000)).rejects.toEqual(refusal('INVALID_INPUT', ['for']));
    await expect(service.claim(CEO, seen(opened), -1)).rejects.toEqual(refusal('INVALID_INPUT', ['for']));
    await expect(service.renewClaim(CEO, seen(opened), null)).rejects.toEqual(refusal('NOT_ASKED'));
    await expect(service.decline(CHIEF, seen(opened), null)).rejects.toEqual(refusal('NOT_ASKED'));
    await expect(service.snooze(CEO, seen(opened), new Date(0))).rejects.toEqual(refusal('INVALID_INPUT', ['until']));
    await expect(service.resolve(CEO, seen(opened), ' ')).rejects.toEqual(refusal('INVALID_INPUT', ['comment']));
    const claimed = done(await service.claim(CEO, seen(opened), null));
    await expect(service.acknowledge(CHIEF, seen(claimed))).rejects.toEqual(refusal('NOT_ASKED'));
    const resolved = done(await service.resolve(CEO, seen(claimed), null));
    await expect(service.submitVerdict(CEO, seen(resolved), RETRY)).rejects.toEqual(refusal('ESCALATION_CLOSED'));
    expect(await desk.get(opened.id)).toEqual(resolved);
  });

  it('is refused when the claim has run out, by the clock of the database', async () => {
    const opened = await open();
    const claimed = done(await desk.service.claim(CHIEF, seen(opened), null));
    await desk.moveDue(opened.id, -1);
    await expect(desk.service.renewClaim(CHIEF, seen(claimed), null)).rejects.toEqual(refusal('NOT_ASKED'));
    const other = done(await desk.service.claim(as('layer-20'), seen(claimed), null));
    expect(other.state.holder).toBe('layer-20');
  });

  it('waits for as many equal verdicts as the step wants', async () => {
    const pipeline = `quorum-${newId()}`;
    const ask = [{ agent: 'chief-2' }, { agent: 'agent-0' }, { agent: 'layer-20' }];
    const steps = [{ ask, waitMs: 60_000, allowedVerdicts: ['RETRY', 'ABORT'], quorum: 2 }];
    await desk.service.savePolicy(CEO, { id: pipeline, failureClass: 'PIPELINE_DECISION', pipeline, steps }, 0);
    const opened = await open({ pipeline });
    expect(opened.state.asked).toEqual(['chief-2', 'agent-0', 'layer-20']);
    const first = done(await desk.service.submitVerdict(CHIEF, seen(opened), RETRY));
    const other = done(await desk.service.submitVerdict(CEO, seen(first), { ...RETRY, kind: 'ABORT' }));
    expect(other.state).toMatchObject({ status: 'ASKING', votes: [{ agent: 'chief-2' }, { agent: 'agent-0' }] });
    const second = done(await desk.service.submitVerdict(as('layer-20'), seen(other), RETRY));
    expect(second.state).toMatchObject({ status: 'DECIDED', verdict: { kind: 'RETRY' } });
  });

  it('comments without changing anything else', async () => {
    const opened = await open();
    const commented = await desk.service.comment(CHIEF, opened.id, 'Looking at it.');
    expect(commented.state).toEqual(opened.state);
    expect((await desk.service.log(TENANT, opened.id)).at(-1)).toMatchObject({
      kind: 'COMMENT',
      actor: 'chief-2',
      data: { comment: 'Looking at it.' },
    });
    await expect(desk.service.comment(CHIEF, opened.id, '')).rejects.toEqual(refusal('INVALID_INPUT', ['text']));
    expect(await desk.service.acknowledge(CHIEF, seen(commented))).toMatchObject({ kind: 'DONE' });
  });

  it('delivers again what could not be delivered', async () => {
    const opened = await open();
    await desk.pool.query(`update sluice.notification set state = 'DEAD' where escalation_id = $1`, [opened.id]);
    expect(await desk.service.redeliver(CHIEF, opened.id)).toBe(1);
    expect(await desk.service.redeliver(CHIEF, opened.id)).toBe(0);
    await expect(desk.service.redeliver(CHIEF, newId())).rejects.toEqual(refusal('ESCALATION_NOT_FOUND'));
  });
});

describe('policies and contacts', () => {
  it('are versioned, and open escalations keep the version they began with', async () => {
    const { service } = desk;
    const pipeline = `policy-${newId()}`;
    const steps = [{ ask: [{ role: 'DOMAIN' }], waitMs: 60_000, allowedVerdicts: ['RETRY'] }];
    const draft = { id: pipeline, failureClass: 'PIPELINE_DECISION', pipeline, steps };
    expect(await service.savePolicy(CEO, draft, 0)).toMatchObject({ kind: 'DONE', policy: { version: 1 } });
    const opened = await open({ pipeline });
    expect(opened).toMatchObject({ policyId: pipeline, policyVersion: 1, state: { asked: ['domain-3'] } });
    const second = { ...draft, steps: [{ ...steps[0], ask: [{ role: 'CEO' }] }] };
    expect(await service.savePolicy(CEO, second, 0)).toMatchObject({ kind: 'CONFLICT', current: { version: 1 } });
    expect(await service.savePolicy(CEO, second, 1)).toMatchObject({ kind: 'DONE', policy: { version: 2 } });
    const reopened = done(await service.escalate(as('domain-3'), seen(await desk.get(opened.id)), null));
    expect(reopened).toMatchObject({ policyVersion: 1, state: { status: 'HELD' } });
    expect(await service.policy(TENANT, pipeline, 1)).toMatchObject({ steps: [{ ask: [{ role: 'DOMAIN' }] }] });
    expect((await service.policies(TENANT)).find(({ id }) => id === pipeline)?.version).toBe(2);
    await expect(service.savePolicy(CEO, { ...draft, id: `${pipeline}-x` }, 3)).rejects.toEqual(
      refusal('INVALID_INPUT', ['expectedVersion']),
    );
    await expect(service.savePolicy(CEO, { ...draft, steps: [] }, 2)).rejects.toMatchObject({
      errors: [{ code: 'POLICY_INVALID', path: ['steps'] }],
    });
    await expect(service.savePolicy(as('nobody'), draft, 2)).rejects.toEqual(refusal('UNKNOWN_AGENT'));
  });

  it('tell the log of every version, with who saved it and the hash of what it says', async () => {
    const { service, pool, column } = desk;
    const id = `logged-${newId()}`;
    const draft = (waitMs: number) => ({
      ...{ id, failureClass: 'PIPELINE_DECISION', pipeline: id, steps: [{ ask: [{ role: 'CEO' }], waitMs }] },
    });
    const from = await service.lastLogSeq(TENANT);
    const savings = () => Promise.all([1, 2, 3].map((n) => service.savePolicy(CEO, draft(n * 60_000), 0)));
    // One of those who save at once wins, and only that one is told of.
    expect((await savings()).map(({ kind }) => kind).toSorted()).toEqual(['CONFLICT', 'CONFLICT', 'DONE']);
    await service.savePolicy(CHIEF, draft(1_000), 1);
    const rows = await desk.escalationStores.entries.readAfter(TENANT, from, 10);
    expect(rows).toMatchObject([
      { kind: 'POLICY_SAVED', actor: 'agent-0', escalationId: null, status: null, data: { policyVersion: 1 } },
      { kind: 'POLICY_SAVED', actor: 'chief-2', agents: [], data: { policyId: id, policyVersion: 2 } },
    ]);
    const specs = await column('select spec from sluice.escalation_policy where id = $1 order by version', [id]);
    expect(rows.map(({ data }) => data.specHash)).toEqual(specs.map(contentAddress));
    expect(await service.verifyLog(TENANT)).toBeNull();

    // Without its row in the log nothing is saved.
    await pool.query(
      `insert into sluice.escalation_log (tenant, seq, at, kind, actor, prev_hash, hash)
       select tenant, seq + 1, now(), 'COMMENT', 'x', '', '' from sluice.escalation_log_head where tenant = $1`,
      [TENANT],
    );
    await expect(service.savePolicy(CHIEF, draft(2_000), 2)).rejects.toThrow('escalation_log_pkey');
    expect((await service.policies(TENANT)).find((policy) => policy.id === id)?.version).toBe(2);
    await pool.query(`alter table sluice.escalation_log disable trigger user;
      delete from sluice.escalation_log where actor = 'x' and hash = '';
      alter table sluice.escalation_log enable trigger user`);
  });

  it('are rehearsed, stored or not', async () => {
    const stored = await desk.service.simulate(TENANT, {
      owner: 'layer-12',
      policy: { id: 'workflow-integration' },
      behaviour: [],
    });
    expect(stored.ceoAfterMs).toBe(2 * 3_600_000);
    const steps = [{ ask: [{ role: 'CEO' }], waitMs: 60_000, allowedVerdicts: ['RETRY'] }];
    const draft = { id: 'draft', failureClass: 'PIPELINE_DECISION', steps };
    const tried = await desk.service.simulate(TENANT, { owner: 'layer-12', policy: { draft }, behaviour: [] });
    expect(tried).toMatchObject({ ceoAfterMs: 0, endAfterMs: 60_000 });
    const input = { owner: 'layer-12', policy: { id: 'none' }, behaviour: [] };
    await expect(desk.service.simulate(TENANT, input)).rejects.toEqual(refusal('INVALID_INPUT', ['policy', 'id']));
    await expect(desk.service.simulate(TENANT, { ...input, owner: 'nobody' })).rejects.toEqual(
      refusal('UNKNOWN_OWNER', ['owner']),
    );
  });

  it('says how agents can be reached, and never with which secret', async () => {
    const { service } = desk;
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const webhook = {
      agent: 'chief-2',
      channel: 'WEBHOOK',
      address: 'https://example.org/h',
      isEnabled: true,
    } as const;
    const saved = await service.saveContact(CHIEF, webhook, secret);
    expect(saved).toMatchObject(webhook);
    expect(JSON.stringify(await service.contacts(TENANT))).not.toContain(secret);
    const wrong = { ...webhook, address: 'ftp://example.org' };
    await expect(service.saveContact(CHIEF, wrong, null)).rejects.toEqual(refusal('CONTACT_INVALID', ['address']));
    await expect(service.saveContact(CHIEF, webhook, 'short')).rejects.toEqual(refusal('CONTACT_INVALID', ['secret']));
    const stranger = { ...webhook, agent: 'nobody' };
    await expect(service.saveContact(CHIEF, stranger, null)).rejects.toEqual(refusal('UNKNOWN_AGENT'));
    expect(service.agents()).toHaveLength(105);
  });
});

describe('the feed', () => {
  const collect = async (entries: AsyncIterable<LogEntry>, into: LogEntry[], most = Number.POSITIVE_INFINITY) => {
    for await (const entry of entries) if (into.push(entry) >= most) return;
  };

  it('tells every row once and in order, from where the reader was', async () => {
    const from = await desk.service.lastLogSeq(TENANT);
    const leaving = new AbortController();
    const told: LogEntry[] = [];
    const reading = collect(desk.service.watch(TENANT, {}, from, leaving.signal), told);
    const opened = await Promise.all(Array.from({ length: 10 }, () => open()));
    await Promise.all(opened.map((one) => desk.service.acknowledge(CHIEF, seen(one))));
    await eventually(() => told.length === 20);
    leaving.abort();
    await reading;
    expect(told.map(({ seq }) => seq)).toEqual(Array.from({ length: 20 }, (_, index) => from + 1 + index));

    const again: LogEntry[] = [];
    await collect(desk.service.watch(TENANT, {}, from + 15, new AbortController().signal), again, 5);
    expect(again).toEqual(told.slice(15));
  });

  it('reads more than a page at a time goes, and only what is meant', async () => {
    const noise = await open();
    const from = await desk.service.lastLogSeq(TENANT);
    for (let count = 0; count < 250; count += 1)
      await desk.escalationStores.escalations.note(noise, 'COMMENT', 'x', {});
    const meant = await open({ failureClass: 'QUEUE_PERFORMANCE' });
    await desk.service.comment(as('life-ceo'), meant.id, 'Hello.').catch(() => undefined);
    const { signal } = new AbortController();
    const byAgent: LogEntry[] = [];
    await collect(desk.service.watch(TENANT, { agent: 'domain-3' }, from, signal), byAgent, 1);
    expect(byAgent).toMatchObject([{ escalationId: meant.id, kind: 'OPEN', seq: from + 251 }]);
    const byEscalation: LogEntry[] = [];
    await collect(desk.service.watch(TENANT, { escalationId: meant.id }, 0, signal), byEscalation, 1);
    expect(byEscalation).toEqual(byAgent);
  });

  it('begins with what comes, when no position is given, and knows positions that cannot be', async () => {
    const leaving = new AbortController();
    const told: LogEntry[] = [];
    const reading = collect(desk.service.watch(TENANT, {}, null, leaving.signal), told);
    await eventually(async () => {
      if (told.length === 0) await open();
      return told.length > 0;
    });
    leaving.abort();
    await reading;
    const last = await desk.service.lastLogSeq(TENANT);
    const beyond = desk.service.watch(TENANT, {}, last + 1, new AbortController().signal);
    await expect(collect(beyond, [])).rejects.toEqual(refusal('CURSOR_INVALID', ['afterSeq']));
    const negative = desk.service.watch(TENANT, {}, -1, new AbortController().signal);
    await expect(collect(negative, [])).rejects.toEqual(refusal('INVALID_INPUT', ['afterSeq']));
  });

  it('goes on when the log cannot be read for a while', async () => {
    const { createFeed } = await import('../../escalation/feed.js');
    const { ManualClock } = await import('../support/manual-clock.js');
    const clock = new ManualClock();
    const { entries } = desk.escalationStores;
    let failures = 1;
    const flaky: typeof entries.readAfter = async (...args) => {
      if (failures-- > 0) throw new Error('gone');
      return entries.readAfter(...args);
    };
    const feed = createFeed({ ...desk.options, clock, entries: { ...entries, readAfter: flaky } });
    await open();
    const told: LogEntry[] = [];
    const reading = collect(feed.watch(TENANT, {}, 0, new AbortController().signal), told, 1);
    await eventually(async () => {
      await clock.pass(100);
      return told.length === 1;
    });
    await reading;
    expect(told[0]?.seq).toBe(1);
  });
});
