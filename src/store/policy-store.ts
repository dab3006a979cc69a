import { contentAddress, plainJson } from '../../escalation/canonical-json.js';
import type { Policy } from '../../escalation/policy.js';
import { askedClass, DEFAULT_POLICIES, defaultPolicy } from '../../escalation/policy-defaults.js';
import type { PolicyStore } from '../../escalation/ports.js';
import { appendToLog } from './escalation-log.js';
import type { PinnedPolicies } from './pinned-policies.js';
import { type Pool, withTransaction } from './pool.js';
import { type PolicyRow, policyOf, readPolicy } from './read-policy.js';

/** The policies that come with Sluice, and those that were saved; a saved one replaces the default of its id. */
export function createPolicyStore(pool: Pool, pinned: PinnedPolicies): PolicyStore {
  const stored = async (where: string, values: readonly unknown[]): Promise<Policy | null> => {
    const { rows } = await pool.query<PolicyRow>(
      `select version, spec from (
         select distinct on (tenant, id) * from sluice.escalation_policy where tenant = $1 order by tenant, id, version desc
       ) as policy where ${where} order by saved_at desc, id limit 1`,
      [...values],
    );
    return rows[0] ? policyOf(rows[0]) : null;
  };

  return {
    async list(tenant) {
      const { rows } = await pool.query<PolicyRow>(
        'select distinct on (id) version, spec from sluice.escalation_policy where tenant = $1 order by id, version desc',
        [tenant],
      );
      const saved = rows.map(policyOf);
      const untouched = DEFAULT_POLICIES.filter(({ id }) => !saved.some((policy) => policy.id === id));
      return [...saved, ...untouched].sort((a, b) => (a.id < b.id ? -1 : 1));
    },

    get: (tenant, id, version) =>
      version === undefined ? readPolicy(pool, tenant, id) : pinned.read(pool, tenant, id, version),

    async find(tenant, failureClass, pipeline) {
      for (const asked of new Set([failureClass, askedClass(failureClass)])) {
        const own = await stored('failure_class = $2 and pipeline = $3', [tenant, asked, pipeline]);
        const policy = own ?? (await stored('failure_class = $2 and pipeline is null', [tenant, asked]));
        if (policy !== null) return policy;
      }
      return defaultPolicy(failureClass);
    },

    save: (tenant, policy, expectedVersion, actor) =>
      withTransaction(pool, async (client) => {
        const { id, failureClass, pipeline } = policy;
        const version = expectedVersion + 1;
        const { rowCount } = await client.query(
          `insert into sluice.escalation_policy (tenant, id, version, failure_class, pipeline, spec, saved_by)
           select $1, $2, $3::int + 1, $4, $5, $6, $7
           where $3::int = (select coalesce(max(version), 0) from sluice.escalation_policy where tenant = $1 and id = $2)
           on conflict do nothing`,
          [tenant, id, expectedVersion, failureClass, pipeline, JSON.stringify(policy), actor],
        );
        if (rowCount === 0) return null;
        // The hash of the very JSON that is stored: a version that somebody changes behind our back can be told.
        const data = { policyId: id, policyVersion: version, specHash: contentAddress(plainJson(policy)) };
        await appendToLog(client, tenant, [
          { escalationId: null, kind: 'POLICY_SAVED', actor, agents: [], status: null, data },
        ]);
        return { ...policy, version };
      }),
  };
}
