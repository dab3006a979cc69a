import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { Clock } from '../core/clock.js';
import { quoteLiteral } from './column.js';
import type { EngineLimits } from './pipeline.js';
import type { WarmInstances } from './warm-instances.js';

const INTERRUPT_AGAIN_MS = 100;
const PROGRESS_EVERY_MS = 200;

/** What a session may touch on disk: these files, and everything below these folders. */
export interface SessionAccess {
  readonly files: readonly string[];
  readonly directories: readonly string[];
}

/** What sessions are made from; one per engine. */
export interface SessionOptions {
  readonly limits: EngineLimits;
  readonly instances: WarmInstances;
  readonly clock: Clock;
}

export type Row = Readonly<Record<string, unknown>>;

/**
 * A DuckDB of its own for one piece of work: no files but the allowed ones, no extensions, no settings that
 * SQL could change, bounded memory and disk. User SQL is vetted before it gets here; this is the second wall.
 */
export class Session {
  private readonly connections: Set<DuckDBConnection>;
  private readonly running = new Set<Promise<unknown>>();

  private constructor(
    private readonly instance: DuckDBInstance,
    /** Queries in a row share it: what a reader rejects lies in temporary tables, which belong to a connection. */
    private readonly main: DuckDBConnection,
    private readonly instances: WarmInstances,
    private readonly clock: Clock,
    private readonly threads: number,
    private readonly signal: AbortSignal,
  ) {
    this.connections = new Set([main]);
    signal.addEventListener('abort', this.interrupt);
  }

  static async open(
    { limits, instances, clock }: SessionOptions,
    access: SessionAccess,
    tempDirectory: string,
    signal: AbortSignal,
  ): Promise<Session> {
    signal.throwIfAborted();
    const instance = await instances.take();
    const session = new Session(instance, await instance.connect(), instances, clock, limits.threads, signal);
    try {
      await session.run(
        [
          `SET temp_directory = ${quoteLiteral(tempDirectory)}`,
          `SET max_temp_directory_size = '${limits.tempMb}MB'`,
          `SET TimeZone = 'UTC'`,
          // It computes what stands twice in an expression once, outside of the TRY that would have caught its error.
          `SET disabled_optimizers = 'common_subexpressions'`,
          // Without the bar DuckDB does not count what `progress` tells.
          'SET enable_progress_bar = true',
          'SET enable_progress_bar_print = false',
          `SET progress_bar_time = ${PROGRESS_EVERY_MS}`,
          `SET allowed_directories = [${access.directories.map((d) => quoteLiteral(`${d}/`)).join(', ')}]`,
          `SET allowed_paths = [${access.files.map(quoteLiteral).join(', ')}]`,
          'SET enable_external_access = false',
          // For `sideBySide` alone; user SQL is one SELECT and cannot set it.
          `SET allowed_configs = ['external_threads']`,
          'SET lock_configuration = true',
        ].join(';'),
      );
      return session;
    } catch (error) {
      // Told to stop, or refused a setting: nobody else knows of it.
      session.close();
      throw error;
    }
  }

  /** Runs statements for their effect, one call after the other. @returns rows changed or written */
  async run(sql: string, onProgress?: (fraction: number) => void): Promise<number> {
    return this.guard(() => this.written(this.main, sql, onProgress));
  }

  /** Runs statements on a connection of their own, beside what `run` and `query` do. @returns rows written */
  async runBeside(sql: string, onProgress?: (fraction: number) => void): Promise<number> {
    return this.beside((connection) => this.written(connection, sql, onProgress));
  }

  /** `query` on a connection of its own. */
  async queryBeside(sql: string): Promise<readonly Row[]> {
    return this.beside(async (connection) => (await connection.runAndReadAll(sql)).getRowObjectsJS());
  }

  /** Runs one query and reads all of it; for results that are known to be small. 64-bit integers come as bigint. */
  async query(sql: string): Promise<readonly Row[]> {
    return this.guard(async () => (await this.main.runAndReadAll(sql)).getRowObjectsJS());
  }

  /**
   * Two pieces of work at once, of which `serial` is one query that cannot be parallel. Every running query brings a
   * thread of its own, so that DuckDB would have one more than there are cores: `serial` would get less than a core,
   * end last, and leave the others idle meanwhile. So one worker rests until `serial` is through.
   * @throws what either threw, when both have ended
   */
  async sideBySide<P, S>(parallel: () => Promise<P>, serial: () => Promise<S>): Promise<[P, S]> {
    const share = async (queries: number): Promise<void> => {
      if (this.threads > 1) await this.run(`SET external_threads = ${queries}`);
    };
    await share(2);
    const [first, second] = await Promise.allSettled([parallel(), serial().finally(() => share(1))]);
    if (first.status === 'rejected') throw first.reason;
    if (second.status === 'rejected') throw second.reason;
    return [first.value, second.value];
  }

  /** Throws the reason of the signal when this session was told to stop. */
  throwIfStopped(): void {
    this.signal.throwIfAborted();
  }

  /**
   * Ends the session. Queries that still run are told to stop; what they hold is freed when they have. Some of
   * DuckDB's loops (a join by condition that finds nothing) look for an interruption only when they are through.
   */
  close(): void {
    this.signal.removeEventListener('abort', this.interrupt);
    if (this.running.size === 0) {
      this.free();
    } else {
      this.interrupt();
      // A query that has been handed over and not yet begun forgets an interruption: it is told again.
      const again = this.clock.every(INTERRUPT_AGAIN_MS, this.interrupt);
      void Promise.allSettled(this.running).then(() => {
        again.cancel();
        this.free();
      });
    }
  }

  private async written(
    connection: DuckDBConnection,
    sql: string,
    onProgress: ((fraction: number) => void) | undefined,
  ): Promise<number> {
    const pending = connection.run(sql);
    const result = onProgress ? await this.watch(connection, pending, onProgress) : await pending;
    return result.rowsChanged;
  }

  private beside<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    return this.guard(async () => {
      const connection = await this.instance.connect();
      this.connections.add(connection);
      try {
        return await work(connection);
      } finally {
        this.connections.delete(connection);
        connection.closeSync();
      }
    });
  }

  private free(): void {
    for (const connection of this.connections) connection.closeSync();
    this.connections.clear();
    this.instances.free(this.instance);
  }

  /** Rejects with the reason of the signal as soon as it aborts, whether DuckDB has noticed or not. */
  private async guard<T>(work: () => Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    const running = work();
    this.running.add(running);
    const settled = (): boolean => this.running.delete(running);
    running.then(settled, settled);
    let onAbort = (): void => undefined;
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(this.signal.reason);
      this.signal.addEventListener('abort', onAbort);
    });
    try {
      return await Promise.race([running, aborted]);
    } catch (error) {
      this.signal.throwIfAborted();
      throw error;
    } finally {
      this.signal.removeEventListener('abort', onAbort);
    }
  }

  private async watch<T>(
    connection: DuckDBConnection,
    pending: Promise<T>,
    onProgress: (fraction: number) => void,
  ): Promise<T> {
    const timer = this.clock.every(PROGRESS_EVERY_MS, () => {
      const { percentage } = connection.progress;
      if (percentage >= 0) onProgress(Math.min(1, percentage / 100));
    });
    try {
      return await pending;
    } finally {
      timer.cancel();
    }
  }

  private readonly interrupt = (): void => {
    for (const connection of this.connections) connection.interrupt();
  };
}
