import { createContactStore } from './contact-store.js';
import { createEscalationLogStore } from './escalation-log-store.js';
import { createEscalationStore } from './escalation-store.js';
import { createOutboxStore } from './outbox-store.js';
import { createPinnedPolicies } from './pinned-policies.js';
import { createPolicyStore } from './policy-store.js';
import type { Pool } from './pool.js';

/** The stores of escalations, over one pool. */
export function openEscalationStores(pool: Pool) {
  const pinned = createPinnedPolicies();
  return {
    policies: createPolicyStore(pool, pinned),
    escalations: createEscalationStore(pool, pinned),
    entries: createEscalationLogStore(pool),
    contacts: createContactStore(pool),
    outbox: createOutboxStore(pool),
  };
}
