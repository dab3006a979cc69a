import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleFolder, bundleSluice } from '../../support/bundle.js';
import { type GatewayProcess, startGatewayProcess } from '../../support/gateway-process.js';
import type { Fault, Order, Word } from './fault.js';

/** A process of Sluice that plays every role. */
export interface Node {
  readonly slot: number;
  readonly url: string;
  readonly token: string;
  readonly pid: number;
  readonly isAlive: () => boolean;
  arm(fault: Fault | null): void;
  /** Statements since it was asked last. */
  counts(): Promise<Readonly<Record<string, number>>>;
  signal(signal: NodeJS.Signals): void;
  readonly ended: Promise<End>;
}

/** How a process came to its end. */
export interface End {
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  /** What it said last. */
  readonly log: string;
}

export interface Nodes {
  /** Those that answer now. */
  alive(): readonly Node[];
  at(slot: number): Node | undefined;
  /** Resolves when every slot has a process that works. */
  allReady(): Promise<void>;
  stop(): Promise<void>;
}

export interface NodesOptions {
  readonly size: number;
  readonly env: Readonly<Record<string, string>>;
  onFired(fault: number): void;
  onDeath(node: Node, end: End): void;
}

/** So many processes over one installation; one that ends is replaced. */
export async function startNodes({ size, env, onFired, onDeath }: NodesOptions): Promise<Nodes> {
  const folder = bundleFolder('chaos');
  const main = await bundleSluice(folder, { faulty: 'chaos/jobs/run-faulty.ts' });
  const slots: (Node | undefined)[] = Array.from({ length: size });
  const starting = new Map<number, Promise<void>>();
  let isStopping = false;

  function begin(slot: number): void {
    slots[slot] = undefined;
    const started = start(slot).then(
      (node) => {
        slots[slot] = node;
        starting.delete(slot);
        void node.ended.then((end) => {
          if (isStopping) return;
          onDeath(node, end);
          begin(slot);
        });
      },
      // A process that finds no database ends, and whoever runs it starts it again.
      () => (isStopping ? undefined : begin(slot)),
    );
    starting.set(slot, started);
  }

  async function start(slot: number): Promise<Node> {
    const home = { SLUICE_LOG_LEVEL: 'error', ...env };
    const entry = ['--import', join(folder, 'faulty.mjs'), main];
    return nodeOf(slot, await startGatewayProcess({ entry, env: home, ipc: true }), onFired);
  }

  for (let slot = 0; slot < size; slot += 1) begin(slot);
  const allReady = async () => {
    while (starting.size > 0) await Promise.all(starting.values());
  };
  await allReady();
  return {
    alive: () => slots.filter((node) => node !== undefined).filter((node) => node.isAlive()),
    at: (slot) => slots[slot],
    allReady,
    async stop() {
      isStopping = true;
      await Promise.all(starting.values());
      for (const node of slots) node?.signal('SIGKILL');
      await Promise.all(slots.map((node) => node?.ended));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function nodeOf(slot: number, gateway: GatewayProcess, onFired: (id: number) => void): Node {
  const { child, url, token, pid } = gateway;
  const isAlive = () => child.exitCode === null && child.signalCode === null;
  const send = (order: Order) => void (isAlive() && child.connected && child.send(order, () => undefined));
  const ended = once(child, 'exit').then(async () => {
    await gateway.stop();
    return { signal: child.signalCode, code: child.exitCode, log: gateway.log().slice(-2_000) };
  });
  let answer: ((counts: Readonly<Record<string, number>>) => void) | undefined;
  child.on('message', (word: Word) => {
    if ('fired' in word) onFired(word.fired);
    else answer?.(word.counted);
  });
  return {
    slot,
    url,
    token,
    pid,
    isAlive,
    arm: (fault) => send({ arm: fault }),
    counts() {
      const counted = new Promise<Readonly<Record<string, number>>>((resolve) => {
        answer = resolve;
      });
      send({ count: true });
      return counted;
    },
    signal: (signal) => void child.kill(signal),
    ended,
  };
}
