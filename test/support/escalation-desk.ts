import { createEscalationService } from '../../escalation/create-service.js';
import { type DelivererOptions, startDeliverer } from '../../escalation/deliverer.js';
import { type EscalationEngine, type EscalationEngineOptions, startEscalationEngine } from '../../escalation/engine.js';
import type { Escalation } from '../../escalation/escalation.js';
import { createNotifiers } from '../../escalation/notifiers/create-notifiers.js';
import { loadOrgChart } from '../../escalation/org-chart.js';
import { roleLookup } from '../../escalation/role-lookup.js';
import type { Caller, Seen, Written } from '../../escalation/service.js';
import { systemClock } from '../../src/core/clock.js';
import { newId } from '../../src/core/ids.js';
import { createLog } from '../../src/core/log.js';
import { createAddressRules } from '../../src/core/safe-address.js';
import { openEscalationStores } from '../../src/store/open-escalation-stores.js';
import { eventually } from './eventually.js';
import { type Reported, storeReport } from './failure-report.js';
import { fakeJobActions } from './fake-job-actions.js';
import { localWake } from './local-wake.js';
import { aSecret } from './notification.js';
import { aPipeline, aRuntime, type RuntimeOptions } from './runtime.js';
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.js';

export const TENANT = 'default';
const log = createLog('silent');

export const as = (agent: string): Caller => ({ tenant: TENANT, agent });
export const seen = ({ id, version }: Escalation): Seen => ({ id, expectedVersion: version });

/** What a write made of the escalation; fails when somebody else was first. */
export function done(written: Written): Escalation {
  if (written.kind === 'DONE') return written.escalation;
  throw new Error(`a conflict with version ${written.current.version}`);
}

/** Escalations over a database of the test file's own, with jobs that do what verdicts say. Call in `beforeAll`, and `rest` after each. */
export async function anEscalationDesk(settings: Pick<RuntimeOptions, 'database'> = {}) {
  const runtime = await aRuntime(settings);
  const { pool } = runtime;
  const chart = await loadOrgChart();
  const stores = openEscalationStores(pool);
  const running: { stop(): Promise<void> }[] = [];
  const wake = localWake();
  const jobActions = fakeJobActions(pool);
  const options: EscalationEngineOptions = {
    escalations: stores.escalations,
    policies: stores.policies,
    lookup: roleLookup(chart),
    jobActions,
    wake,
    clock: systemClock,
    log,
  };
  const desk = {
    ...runtime,
    chart,
    wake,
    jobActions,
    options,
    escalationStores: stores,
    service: createEscalationService({ ...options, ...stores, chart }),

    /** An escalator, as a process has one. */
    async engine(changes: Partial<EscalationEngineOptions> = {}): Promise<EscalationEngine> {
      const engine = await startEscalationEngine({ ...options, ...changes });
      running.push(engine);
      return engine;
    },

    /** What carries notifications to webhooks of this machine, as a process has it. */
    async deliverer(changes: Partial<DelivererOptions> = {}): Promise<void> {
      const { policies, contacts, outbox } = stores;
      const { clock = systemClock } = changes;
      const channels = createNotifiers({
        ...{ policies, contacts, clock, log, apiUrl: null, rules: createAddressRules(['127.0.0.1']) },
        ...{ smtpUrl: undefined, smtpFrom: 'sluice@example.org' },
      });
      const { notifiers } = channels;
      const deliverer = await startDeliverer({
        ...{ outbox, notifiers, wake, clock, log, worker: newId(), random: () => 0 },
        ...changes,
      });
      running.push({ stop: () => deliverer.stop().then(channels.close) });
    },

    /** A webhook of the agent. */
    async receiver(agent: string): Promise<WebhookReceiver> {
      const secret = aSecret();
      const receiver = await startWebhookReceiver(secret);
      running.push({ stop: receiver.close });
      const contact = { agent, channel: 'WEBHOOK', address: receiver.url, isEnabled: true } as const;
      await stores.contacts.save(TENANT, contact, secret);
      return receiver;
    },

    /** Between two tests: whatever runs ends, the last first, and jobs do what verdicts say. */
    async rest(): Promise<void> {
      for (const one of running.splice(0).reverse()) await one.stop();
      jobActions.acts.length = 0;
      Object.assign(jobActions, {
        before: () => {},
        after: () => {},
        refusal: () => null,
        facts: { stage: 'LOADING' },
      });
    },

    /** A job that waits for a decision, of the name and with these options. @returns its id */
    async heldJob(name = 'orders', options: object = {}): Promise<string> {
      const id = await runtime.launch({ name, spec: aPipeline(undefined, options).json });
      await pool.query(`update sluice.job set state = 'AWAITING_DECISION' where id = $1`, [id]);
      return id;
    },

    /** What a job writes in the transaction that holds it. */
    async report(changes: Partial<Reported> = {}): Promise<Reported> {
      const report = await storeReport(pool, changes);
      await wake.tell('REPORT', report.tenant);
      return report;
    },

    async isDone({ id }: Pick<Reported, 'id'>): Promise<boolean> {
      const [isDone] = await runtime.column('select done from sluice.failure_report where id = $1', [id]);
      return isDone === true;
    },

    /** The escalations of a pipeline, oldest first. */
    async of(pipeline: string): Promise<readonly Escalation[]> {
      const ids = await runtime.column('select id from sluice.escalation where pipeline = $1 order by opened_at, id', [
        pipeline,
      ]);
      return Promise.all(ids.map((id) => desk.get(String(id))));
    },

    async get(id: string): Promise<Escalation> {
      const escalation = await stores.escalations.get(TENANT, id);
      if (!escalation) throw new Error(`no escalation ${id}`);
      return escalation;
    },

    /** The one open escalation of a report that was just taken up. */
    async opened(changes: Partial<Reported> = {}): Promise<Escalation> {
      const report = await desk.report(changes);
      await eventually(() => desk.isDone(report));
      const escalation = (await desk.of(report.pipeline)).at(-1);
      if (!escalation) throw new Error('no escalation was opened');
      return escalation;
    },

    /** Lets its due time pass, as if `agoMs` ago, and waits until an escalator has moved it. */
    async pass({ id }: Pick<Escalation, 'id'>, agoMs = 1): Promise<Escalation> {
      const before = await desk.get(id);
      await desk.moveDue(id, -agoMs);
      await eventually(async () => (await desk.get(id)).version > before.version);
      return desk.get(id);
    },

    /** Moves its due time to so long after the database's present. */
    async moveDue(id: string, inMs: number): Promise<void> {
      await pool.query(
        `update sluice.escalation set due_at = statement_timestamp() + $2 * interval '1 millisecond' where id = $1`,
        [id, inMs],
      );
      await wake.tell('DUE', TENANT);
    },

    /** Waits until it is so. */
    async becomes({ id }: Pick<Escalation, 'id'>, status: Escalation['state']['status']): Promise<Escalation> {
      await eventually(async () => (await desk.get(id)).state.status === status);
      return desk.get(id);
    },

    /** `<purpose> <agent>` of each notification of the escalation, in order. */
    async notified({ id }: Pick<Escalation, 'id'>): Promise<unknown[]> {
      return runtime.column(
        `select purpose || ' ' || agent from sluice.notification where escalation_id = $1
         order by round, step, purpose, agent`,
        [id],
      );
    },

    async logOf({ id }: Pick<Escalation, 'id'>) {
      return stores.entries.ofEscalation(TENANT, id);
    },

    async jobState(id: string) {
      return (await runtime.job(id)).state;
    },
  };
  return desk;
}

export type EscalationDesk = Awaited<ReturnType<typeof anEscalationDesk>>;
