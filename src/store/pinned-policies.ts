import type { Policy } from '../../escalation/policy.js';
import type { Queryable } from './pool.js';
import { readPolicy } from './read-policy.js';

/** Versions of policies by number: they never change once saved, so each is read and parsed once. */
export interface PinnedPolicies {
  /** @returns null when there is no such version */
  read(db: Queryable, tenant: string, id: string, version: number): Promise<Policy | null>;
}

/** Far more than are in use at a time; then it begins anew. */
const MOST = 1_000;

export function createPinnedPolicies(): PinnedPolicies {
  const policies = new Map<string, Policy>();
  return {
    async read(db, tenant, id, version) {
      const key = JSON.stringify([tenant, id, version]);
      const known = policies.get(key);
      if (known) return known;
      const policy = await readPolicy(db, tenant, id, version);
      if (policies.size >= MOST) policies.clear();
      if (policy) policies.set(key, policy);
      return policy;
    },
  };
}
