import type { EscalationService } from '../../../escalation/service.js';
import { eventually } from '../../support/eventually.js';

const PATIENCE_MS = 30_000;

/** Somebody who follows the log of a tenant from its beginning. */
export interface FeedReader {
  readonly gaps: readonly string[];
  /** Waits until the row has come: a word that died with its process costs a poll. */
  reads(seq: number): Promise<void>;
  stop(): Promise<void>;
}

export function readFeed(service: EscalationService, tenant: string): FeedReader {
  const gaps: string[] = [];
  const end = new AbortController();
  let seq = 0;
  const read = async () => {
    for await (const entry of service.watch(tenant, {}, 0, end.signal)) {
      if (entry.seq !== seq + 1) gaps.push(`${tenant}: a reader got row ${entry.seq} after row ${seq}`);
      seq = entry.seq;
    }
  };
  const reading = read().catch((error: unknown) => void gaps.push(`${tenant}: a reader failed: ${error}`));
  return {
    gaps,
    reads: (last) => eventually(() => seq >= last, PATIENCE_MS),
    async stop() {
      end.abort();
      await reading;
    },
  };
}
