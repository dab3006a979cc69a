import { availableParallelism, cpus } from 'node:os';
import type { BenchDatabase } from './bench-database.js';

export interface BenchRun {
  /** For whoever watches; figures go to the standard output alone. */
  readonly tell: (line: string) => void;
  /** Closed at the end, the last first, whatever happens. */
  closing(close: () => Promise<void>): void;
  /** Closes what was opened last, because it would disturb what follows. */
  closeLast(): Promise<void>;
}

/** Runs a benchmark and leaves no server and no database behind, Ctrl-C included. */
export function runBench(bench: (run: BenchRun) => Promise<void>): void {
  const closers: (() => Promise<void>)[] = [];
  const tell = (line: string) => console.error(line);
  const closeLast = async () => closers.pop()?.();
  async function closeAll(): Promise<void> {
    while (closers.length > 0) await closeLast();
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void closeAll().finally(() => process.exit(130)));
  }
  bench({ tell, closing: (close) => void closers.push(close), closeLast })
    .finally(closeAll)
    .catch((error: unknown) => {
      tell(error instanceof Error ? error.message : String(error));
      process.exitCode = 1;
    });
}

/** What figures depend on; told, and returned for the line that machines read. */
export function machineFacts(database: BenchDatabase, tell: (line: string) => void) {
  const facts = {
    database: database.name,
    node: process.version,
    cores: availableParallelism(),
    cpu: cpus()[0]?.model,
  };
  tell(`${facts.database}, Node ${facts.node}, ${facts.cores} cores (${facts.cpu})`);
  return facts;
}
