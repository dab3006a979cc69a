import { parsePolicy } from '../../escalation/parse-policy.js';
import type { Policy } from '../../escalation/policy.js';
import { DEFAULT_POLICIES } from '../../escalation/policy-defaults.js';
import type { Queryable } from './pool.js';

export interface PolicyRow {
  readonly version: number;
  readonly spec: unknown;
}

export const policyOf = (row: PolicyRow): Policy => ({ ...parsePolicy(row.spec), version: row.version });

const defaultOf = (id: string): Policy | null => DEFAULT_POLICIES.find((policy) => policy.id === id) ?? null;

/** @param version the newest when it is left out; null when there is no such policy */
export async function readPolicy(db: Queryable, tenant: string, id: string, version?: number): Promise<Policy | null> {
  if (version === 0) return defaultOf(id);
  const { rows } = await db.query<PolicyRow>(
    `select version, spec from sluice.escalation_policy
     where tenant = $1 and id = $2 and ($3::int is null or version = $3) order by version desc limit 1`,
    [tenant, id, version ?? null],
  );
  if (rows[0]) return policyOf(rows[0]);
  return version === undefined ? defaultOf(id) : null;
}
