import { randomBytes } from 'node:crypto';
import type { Escalation } from '../../escalation/escalation.js';
import type { Policy } from '../../escalation/policy.js';
import type { AgentContact, ContactStore, Notification } from '../../escalation/ports.js';
import { newId } from '../../src/core/ids.js';

export const aSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

export function anEscalation(changes: Partial<Escalation> = {}): Escalation {
  return {
    id: newId(),
    tenant: 'default',
    title: 'orders: the target drifted',
    failureClass: 'PIPELINE_DECISION',
    rule: 'target-incompatible',
    confidence: 1,
    owner: 'layer-12',
    jobId: newId(),
    pipeline: 'orders',
    target: 'default.public.orders',
    policyId: 'pipeline-decision',
    policyVersion: 3,
    state: {
      status: 'ASKING',
      step: 0,
      climb: 0,
      round: 0,
      asked: ['chief-2'],
      declined: [],
      holder: null,
      dueAt: new Date(1_900_000_000_000),
      votes: [],
      verdict: null,
      failures: { '0:RESUME': 2 },
    },
    occurrences: 1,
    evidenceHash: 'e'.repeat(64),
    version: 4,
    openedAt: new Date(1_800_000_000_000),
    lastOccurredAt: new Date(1_800_000_000_000),
    resolvedAt: null,
    ...changes,
  };
}

/** Claimed now, because receivers refuse signatures of another time. */
export function aNotification(changes: Partial<Notification> = {}): Notification {
  return {
    id: newId(),
    tenant: 'default',
    escalation: anEscalation(),
    agent: 'chief-2',
    purpose: 'ASK',
    round: 0,
    step: 0,
    channels: ['WEBHOOK'],
    attempt: 0,
    createdAt: new Date(),
    claimedAt: new Date(),
    ...changes,
  };
}

/** A store with the one policy that escalations of the builder are pinned to. */
export const policies = {
  async get(_tenant: string, id: string, version?: number): Promise<Policy | null> {
    if (id !== 'pipeline-decision' || version !== 3) return null;
    return {
      id,
      version,
      failureClass: 'PIPELINE_DECISION',
      pipeline: null,
      steps: [
        {
          ask: [{ role: 'CHIEF' }],
          tell: [],
          waitMs: 3_600_000,
          channels: ['WEBHOOK', 'EMAIL', 'FEED'],
          onEmpty: 'SKIP',
          allowedVerdicts: ['RETRY', 'RESUME', 'ABORT'],
          quorum: 1,
        },
      ],
      repeat: 0,
      ackTimeoutMs: 900_000,
      groupWindowMs: 3_600_000,
      maintenance: [],
      autoResolve: true,
      endAction: 'HOLD',
      catchUp: 'NEXT_STEP',
    };
  },
};

export interface TestContacts extends Pick<ContactStore, 'find' | 'disable'> {
  add(agent: string, channel: AgentContact['channel'], address: string, ...secrets: string[]): void;
}

export function memoryContacts(): TestContacts {
  const contacts = new Map<string, { contact: AgentContact; secrets: readonly string[] }>();
  return {
    add(agent, channel, address, ...secrets) {
      const contact = { agent, channel, address, isEnabled: true, disabledReason: null, updatedAt: new Date(0) };
      contacts.set(`${agent} ${channel}`, { contact, secrets });
    },
    find: async (_tenant, agent, channel) => contacts.get(`${agent} ${channel}`) ?? null,
    async disable(_tenant, agent, channel, disabledReason) {
      const found = contacts.get(`${agent} ${channel}`);
      if (found)
        contacts.set(`${agent} ${channel}`, {
          ...found,
          contact: { ...found.contact, isEnabled: false, disabledReason },
        });
    },
  };
}
