import type { AgentContact, ContactStore } from '../../escalation/ports.js';
import type { Pool } from './pool.js';

interface ContactRow {
  readonly agent: string;
  readonly channel: AgentContact['channel'];
  readonly address: string;
  readonly secrets: readonly string[];
  readonly is_enabled: boolean;
  readonly disabled_reason: string | null;
  readonly updated_at: Date;
}

const contactOf = (row: ContactRow): AgentContact => ({
  agent: row.agent,
  channel: row.channel,
  address: row.address,
  isEnabled: row.is_enabled,
  disabledReason: row.disabled_reason,
  updatedAt: row.updated_at,
});

/** How agents are reached. */
export function createContactStore(pool: Pool): ContactStore {
  return {
    async list(tenant) {
      const { rows } = await pool.query<ContactRow>(
        'select * from sluice.agent_contact where tenant = $1 order by agent, channel',
        [tenant],
      );
      return rows.map(contactOf);
    },

    async find(tenant, agent, channel) {
      const { rows } = await pool.query<ContactRow>(
        'select * from sluice.agent_contact where tenant = $1 and agent = $2 and channel = $3',
        [tenant, agent, channel],
      );
      return rows[0] ? { contact: contactOf(rows[0]), secrets: rows[0].secrets } : null;
    },

    async save(tenant, { agent, channel, address, isEnabled }, secret) {
      const { rows } = await pool.query<ContactRow>(
        `insert into sluice.agent_contact as contact (tenant, agent, channel, address, is_enabled, secrets)
         values ($1, $2, $3, $4, $5, array_remove(array[$6::text], null))
         on conflict (tenant, agent, channel) do update set address = excluded.address,
           is_enabled = excluded.is_enabled, disabled_reason = null, updated_at = statement_timestamp(),
           secrets = case when $6::text is null or $6 = contact.secrets[1] then contact.secrets
             else array_remove(array[$6::text, contact.secrets[1]], null) end
         returning *`,
        [tenant, agent, channel, address, isEnabled, secret],
      );
      if (!rows[0]) throw new Error('an upsert answered no row');
      return contactOf(rows[0]);
    },

    async disable(tenant, agent, channel, reason) {
      await pool.query(
        `update sluice.agent_contact set is_enabled = false, disabled_reason = $4, updated_at = statement_timestamp()
         where tenant = $1 and agent = $2 and channel = $3`,
        [tenant, agent, channel, reason],
      );
    },
  };
}
