import type { LoadTarget } from '../engine/sinks/sink.js';
import type { LoadedPart, SinkClient } from './stores.js';

/** A load of which every row is in its target, and carries its id. */
export interface CompleteLoad {
  readonly jobId: string;
  readonly tenant: string;
  /** Of the job. */
  readonly name: string;
  readonly connection: string;
  readonly target: LoadTarget;
  readonly rows: number;
}

/** Entry of the ledger that stands for the publication, beside those of the chunks. */
export const PUBLICATION = -1;

/**
 * Remembers in a foreign database what was loaded there, in the transaction that loads it: chunk counters live in
 * another database and cannot be part of it.
 */
export interface LoadLedger {
  /** Remembers a load that is complete, in the transaction that publishes it. @param isSystem whether it is at home */
  complete(client: SinkClient, load: CompleteLoad, isSystem: boolean): Promise<void>;
  /**
   * Runs `load` unless it was committed before. @returns what it loaded, now or then; what was read back then is not
   * known any more
   */
  once(client: SinkClient, jobId: string, entry: number, load: () => Promise<LoadedPart>): Promise<LoadedPart>;
  /**
   * Runs `remove`, which takes the rows of a job out, and keeps out whatever of it is still on its way.
   * @param entries how many parts it has
   * @returns rows removed, now and by tries before
   */
  withdraw(client: SinkClient, jobId: string, entries: number, remove: () => Promise<number>): Promise<number>;
  /** Removes what is remembered of a job that has ended, unless it keeps parts out. */
  forget(client: SinkClient, jobId: string): Promise<void>;
}
