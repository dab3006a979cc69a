import type { LogEntry, LogStore } from '../../escalation/ports.js';
import { hashOf, type LogRow, logEntryOf } from './escalation-log.js';
import type { Pool } from './pool.js';

const COLUMNS = 'tenant, seq, escalation_id, at, kind, actor, agents, status, data, prev_hash, hash';
/** Rows in memory while the chain is followed. */
const PAGE = 1_000;

/** The log of escalations: read in order, and proven. */
export function createEscalationLogStore(pool: Pool): LogStore {
  async function readAfter(tenant: string, afterSeq: number, limit: number): Promise<readonly LogEntry[]> {
    const { rows } = await pool.query<LogRow>(
      `select ${COLUMNS} from sluice.escalation_log where tenant = $1 and seq > $2 order by seq limit $3`,
      [tenant, afterSeq, limit],
    );
    return rows.map(logEntryOf);
  }

  async function head(tenant: string): Promise<{ readonly seq: number; readonly hash: string }> {
    const { rows } = await pool.query<{ seq: bigint; hash: string }>(
      'select seq, hash from sluice.escalation_log_head where tenant = $1',
      [tenant],
    );
    return { seq: Number(rows[0]?.seq ?? 0), hash: rows[0]?.hash ?? '' };
  }

  return {
    readAfter,
    async ofEscalation(tenant, escalationId) {
      const { rows } = await pool.query<LogRow>(
        `select ${COLUMNS} from sluice.escalation_log where tenant = $1 and escalation_id = $2 order by seq`,
        [tenant, escalationId],
      );
      return rows.map(logEntryOf);
    },
    lastSeq: async (tenant) => (await head(tenant)).seq,

    async verify(tenant) {
      // Rows that are appended meanwhile stand behind the head as it is now.
      const end = await head(tenant);
      let [seq, hash] = [0, ''];
      while (seq < end.seq) {
        const page = await readAfter(tenant, seq, PAGE);
        for (const { hash: stored, ...entry } of page) {
          if (entry.seq > end.seq) break;
          seq += 1;
          if (entry.seq !== seq) return { seq, problem: 'The row is missing.' };
          if (entry.prevHash !== hash) return { seq, problem: 'The row does not follow the one before it.' };
          if (hashOf(entry) !== stored) return { seq, problem: 'The row was changed after it was written.' };
          hash = stored;
        }
        if (page.length === 0) return { seq: seq + 1, problem: 'The row is missing.' };
      }
      if (hash !== end.hash) return { seq, problem: 'The log does not end with the row that was written last.' };
      const [beyond] = await readAfter(tenant, end.seq, 1);
      if (beyond && (await head(tenant)).seq < beyond.seq) {
        return { seq: beyond.seq, problem: 'The row was added behind the end of the log.' };
      }
      return null;
    },
  };
}
