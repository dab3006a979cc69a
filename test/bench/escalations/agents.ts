import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Arrival, Word } from './run-agents.js';

const ENTRY = fileURLToPath(new URL('./run-agents.ts', import.meta.url));

export interface Agents {
  /** The URL of each agent's webhook. */
  readonly urls: readonly string[];
  /** What came since the last time. @throws Error when a call was not signed as it should be */
  take(): Promise<readonly Arrival[]>;
  stop(): Promise<void>;
}

async function answer<K extends Word['kind']>(child: ChildProcess, kind: K, say: object | string) {
  const heard = once(child, 'message');
  child.send(say);
  // The process says nothing but what run-agents.ts lets it say.
  const [word] = (await heard) as [Word];
  if (word.kind !== kind) throw new Error(`The agents answered ${word.kind} instead of ${kind}.`);
  return word as Extract<Word, { kind: K }>;
}

/** Starts the process of the agents. */
export async function startAgents(count: number, secret: string): Promise<Agents> {
  const child = fork(ENTRY, { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const { ports } = await answer(child, 'LISTENING', { agents: count, secret });
  return {
    urls: ports.map((port) => `http://127.0.0.1:${port}/hook`),
    async take() {
      const { arrivals, refused } = await answer(child, 'ARRIVALS', 'take');
      if (refused > 0) throw new Error(`${refused} calls did not carry a good signature.`);
      return arrivals;
    },
    async stop() {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}
