import { bundleEscalator, type EscalatorProcess, startEscalator } from './escalator-process.js';

/** From the SIGKILL of a process until the next one in its place works; milliseconds of the wall clock. */
export interface Outage {
  readonly slot: number;
  readonly from: number;
  readonly to: number;
}

export interface Fleet {
  /** Kills the process of the slot as soon as it works, and starts the next one in its place without waiting for it. */
  kill(slot: number): Promise<void>;
  readonly outages: readonly Outage[];
  /** What the processes have complained about: message -> how often, and once in full. */
  readonly complaints: ReadonlyMap<string, { count: number; readonly example: string }>;
  /** Resolves when every process works. */
  allReady(): Promise<void>;
  stop(): Promise<void>;
}

/** So many escalators on one database, each of which can be killed and is started again. */
export async function startFleet(size: number, folder: string, env: Readonly<Record<string, string>>): Promise<Fleet> {
  const file = await bundleEscalator(folder);
  const complaints = new Map<string, { count: number; readonly example: string }>();
  const outages: Outage[] = [];

  function complain(line: string): void {
    const message = /"msg":"([^"]*)"/.exec(line)?.[1] ?? line;
    const known = complaints.get(message);
    if (known) known.count += 1;
    else complaints.set(message, { count: 1, example: line });
  }

  const start = () => startEscalator(file, env, complain);
  const slots: EscalatorProcess[] = Array.from({ length: size }, start);
  const allReady = async () => void (await Promise.all(slots.map(({ ready }) => ready)));
  await allReady();

  return {
    outages,
    complaints,
    allReady,
    async kill(slot) {
      const victim = slots[slot];
      if (!victim) throw new Error(`there is no process ${slot}`);
      await victim.ready;
      const from = Date.now();
      await victim.kill();
      const next = start();
      slots[slot] = next;
      next.ready.then(
        () => outages.push({ slot, from, to: Date.now() }),
        (error: unknown) => complain(String(error)),
      );
    },
    async stop() {
      await Promise.all(slots.map((one) => one.kill()));
    },
  };
}
