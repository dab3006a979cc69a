import { DuckDBInstance } from '@duckdb/node-api';
import type { EngineLimits } from './pipeline.js';

/**
 * DuckDB instances for sessions, one of them always made ahead: making one takes 15-40 ms, most of what a small
 * job waits for. An instance serves one session and is thrown away, so that nothing passes from job to job.
 */
export class WarmInstances {
  private spare: Promise<DuckDBInstance> | null = null;
  private taken = 0;

  constructor(private readonly limits: EngineLimits) {}

  async take(): Promise<DuckDBInstance> {
    const taken = this.spare ?? this.create();
    this.spare = null;
    const instance = await taken;
    this.taken += 1;
    this.spare = this.create();
    // Whoever takes it gets the error; until then nobody listens.
    this.spare.catch(() => undefined);
    return instance;
  }

  /** Ends an instance that `take` gave. */
  free(instance: DuckDBInstance): void {
    instance.closeSync();
    this.taken -= 1;
  }

  /** Instances that are not freed yet; after a stop, those of queries that do not notice their interruption. */
  get inUse(): number {
    return this.taken;
  }

  private create(): Promise<DuckDBInstance> {
    const { threads, memoryMb } = this.limits;
    return DuckDBInstance.create(':memory:', {
      threads: String(threads),
      memory_limit: `${memoryMb}MB`,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      // Source order is what "the last row wins" and row numbers mean.
      preserve_insertion_order: 'true',
    });
  }
}
