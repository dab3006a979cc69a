import type { Clock } from '../src/core/clock.js';
import { SluiceError } from '../src/core/errors.js';
import { isId, newId } from '../src/core/ids.js';
import type { AddressRules } from '../src/core/safe-address.js';
import { DEFAULT_CLAIM_MS } from './claim.js';
import { createFeed } from './feed.js';
import { type IntakeContext, pausesTarget } from './intake.js';
import { checkContactAddress, checkWebhookSecret } from './notifiers/contact-address.js';
import { openByHand } from './open-by-hand.js';
import type { OrgChart } from './org-chart.js';
import type { ContactStore, LogStore, Outbox } from './ports.js';
import type { EscalationService } from './service.js';
import { tell } from './tell-change.js';
import { checkedPolicy, tryPolicy } from './try-policy.js';
import { checkComment, existing, refuseStranger, writeEscalation } from './write-escalation.js';

export interface EscalationServiceOptions extends IntakeContext {
  readonly entries: LogStore;
  readonly contacts: ContactStore;
  readonly outbox: Pick<Outbox, 'redeliver'>;
  readonly chart: OrgChart;
  /** Only for timers between looks: the time of everything is the database's. */
  readonly clock: Clock;
  /** Which addresses webhooks may call. */
  readonly addressRules?: AddressRules;
}

/** Everything that agents and people do with escalations, over the same table and stores as the engine. */
export function createEscalationService(options: EscalationServiceOptions): EscalationService {
  const { escalations, policies, entries, contacts, outbox, chart, jobActions, wake, log, addressRules } = options;
  const feed = createFeed(options);
  const write = (
    caller: Parameters<typeof writeEscalation>[0],
    seen: Parameters<typeof writeEscalation>[1],
    event: Parameters<typeof writeEscalation>[2],
    comment: string | null = null,
  ) => writeEscalation(caller, seen, event, comment, options);

  return {
    acknowledge: (caller, seen) => write(caller, seen, { kind: 'ACKNOWLEDGE', agent: caller.agent }),
    claim: (caller, seen, forMs) =>
      write(caller, seen, { kind: 'CLAIM', agent: caller.agent, forMs: forMs ?? DEFAULT_CLAIM_MS }),
    renewClaim: (caller, seen, forMs) =>
      write(caller, seen, { kind: 'RENEW', agent: caller.agent, forMs: forMs ?? DEFAULT_CLAIM_MS }),
    releaseClaim: (caller, seen) => write(caller, seen, { kind: 'RELEASE', agent: caller.agent }),
    decline: (caller, seen, comment) => write(caller, seen, { kind: 'DECLINE', agent: caller.agent }, comment),
    submitVerdict: (caller, seen, { kind, patch, comment }) =>
      write(
        caller,
        seen,
        { kind: 'DECIDE', verdict: { id: newId(), kind, agent: caller.agent, patch, comment } },
        comment,
      ),
    escalate: (caller, seen, comment) => write(caller, seen, { kind: 'ESCALATE', agent: caller.agent }, comment),
    snooze: (caller, seen, until) => write(caller, seen, { kind: 'SNOOZE', agent: caller.agent, until }),
    reassign: (caller, seen, to) => write(caller, seen, { kind: 'REASSIGN', agent: caller.agent, to }),
    resolve: (caller, seen, comment) => write(caller, seen, { kind: 'RESOLVE', agent: caller.agent }, comment),

    async reopen(caller, seen) {
      const written = await write(caller, seen, { kind: 'REOPEN', agent: caller.agent });
      if (written.kind === 'CONFLICT') return written;
      const { tenant, target, id } = written.escalation;
      if (target !== null && pausesTarget(written.escalation)) await jobActions.pauseTarget(tenant, target, id);
      return written;
    },

    async comment(caller, id, text) {
      refuseStranger(caller, chart);
      checkComment(text, ['text']);
      const escalation = await existing(caller.tenant, id, options);
      await escalations.note(escalation, 'COMMENT', caller.agent, { comment: text });
      await tell(wake, log, caller.tenant, ['LOG']);
      return existing(caller.tenant, id, options);
    },

    open: (caller, input) => openByHand(caller, input, options),

    async redeliver(caller, id) {
      refuseStranger(caller, chart);
      await existing(caller.tenant, id, options);
      const count = await outbox.redeliver(caller.tenant, id);
      if (count > 0) await tell(wake, log, caller.tenant, ['OUTBOX']);
      return count;
    },

    get: async (tenant, id) => (isId(id) ? escalations.get(tenant, id) : null),
    list: (tenant, filter, page) => escalations.list(tenant, filter, page),
    byJob: async (tenant, jobId) => (isId(jobId) ? escalations.byJob(tenant, jobId) : []),
    evidence: (tenant, { evidenceHash }) => escalations.evidence(tenant, evidenceHash),
    log: async (tenant, id) => (isId(id) ? entries.ofEscalation(tenant, id) : []),
    watch: (tenant, filter, afterSeq, signal) => feed.watch(tenant, filter, afterSeq, signal),
    verifyLog: (tenant) => entries.verify(tenant),
    lastLogSeq: (tenant) => entries.lastSeq(tenant),

    policies: (tenant) => policies.list(tenant),
    policy: (tenant, id, version) => policies.get(tenant, id, version),
    async savePolicy(caller, draft, expectedVersion) {
      refuseStranger(caller, chart);
      const policy = checkedPolicy(draft, chart);
      const saved = await policies.save(caller.tenant, policy, expectedVersion, caller.agent);
      if (saved) {
        await tell(wake, log, caller.tenant, ['LOG']);
        return { kind: 'DONE', policy: saved };
      }
      const current = await policies.get(caller.tenant, policy.id);
      if (current) return { kind: 'CONFLICT', current };
      throw new SluiceError('INVALID_INPUT', `There is no policy ${policy.id}; a new one is saved on version 0.`, {
        path: ['expectedVersion'],
      });
    },
    simulate: (tenant, input) => tryPolicy(tenant, input, options),

    agents: () => chart.agents,
    contacts: (tenant) => contacts.list(tenant),
    async saveContact(caller, contact, secret) {
      refuseStranger(caller, chart);
      refuseStranger({ tenant: caller.tenant, agent: contact.agent }, chart);
      checkContactAddress(contact.channel, contact.address, addressRules);
      if (secret !== null) {
        if (contact.channel === 'WEBHOOK') checkWebhookSecret(secret);
        else throw new SluiceError('CONTACT_INVALID', 'Only webhooks are signed.', { path: ['secret'] });
      }
      return contacts.save(caller.tenant, contact, secret);
    },
  };
}
