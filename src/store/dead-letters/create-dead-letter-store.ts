import type { DeadLetterStore } from '../../jobs/dead-letters/ports.js';
import type { SinkConnections } from '../../jobs/stores.js';
import type { Announcer } from '../job-change.js';
import type { Pool } from '../pool.js';
import { discardDeadLetters } from './discard.js';
import { groupDeadLetters, listDeadLetters } from './list.js';
import { readDiscard, readRedrives } from './provenance.js';
import { redriveDeadLetters } from './redrive.js';

/** @param connections which databases are our own: what was loaded into another one may not be counted here */
export function createDeadLetterStore(
  pool: Pool,
  announcer: Announcer,
  connections: Pick<SinkConnections, 'isSystem'>,
): DeadLetterStore {
  return {
    list: (tenant, filter, page) => listDeadLetters(pool, tenant, filter, page),
    groups: (tenant, filter, first) => groupDeadLetters(pool, tenant, filter, first),
    redrive: redriveDeadLetters({ pool, announcer, connections }),
    discard: discardDeadLetters(pool, announcer),
    redrivesOf: (tenant, jobId, last) => readRedrives(pool, tenant, jobId, last),
    discardOf: (tenant, jobId) => readDiscard(pool, tenant, jobId),
  };
}
