import { afterEach, describe, expect, it } from 'vitest';
import type { JobQueue } from '../../src/jobs/ports.js';
import { eventually } from '../support/eventually.js';

export interface JobQueueAdapter {
  readonly name: string;
  /** Another connection to the same queue, as another process has it. */
  readonly open: () => Promise<JobQueue>;
  /** The same with a server that is not there. */
  readonly openUnreachable: () => Promise<JobQueue>;
}

let nextId = 0;
const anId = () => `00000000-0000-7000-8000-${String(nextId++).padStart(12, '0')}`;

/** What every engine of the queue promises. */
export function describeJobQueue({ name, open, openUnreachable }: JobQueueAdapter): void {
  describe(`the job queue on ${name}`, () => {
    const opened: JobQueue[] = [];
    const queue = async () => {
      const one = await open();
      opened.push(one);
      return one;
    };
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((one) => one.close()));
    });

    async function collect(from: JobQueue, concurrency = 1) {
      const taken: string[] = [];
      const working = await from.work(concurrency, async (id) => {
        taken.push(id);
      });
      return { taken, stop: () => working.stop() };
    }

    it('brings an offer to a worker on another connection', async () => {
      const [here, there] = [await queue(), await queue()];
      const { taken } = await collect(there);
      const id = anId();
      await here.offer(id);
      await eventually(() => taken.includes(id));
    });

    it('brings an offer to a worker that comes later, once', async () => {
      const [here, there] = [await queue(), await queue()];
      const id = anId();
      await here.offer(id);
      const { taken } = await collect(there);
      await eventually(() => taken.length > 0);
      const marker = anId();
      await here.offer(marker);
      await eventually(() => taken.includes(marker));
      expect(taken).toEqual([id, marker]);
    });

    it('takes the highest priority first, and the oldest of equals', async () => {
      const here = await queue();
      const offers = [0, 5, -3, 5, 1_000, -1_000, 0].map((priority) => ({ id: anId(), priority }));
      for (const { id, priority } of offers) await here.offer(id, { priority });
      const { taken } = await collect(await queue());
      await eventually(() => taken.length === offers.length);
      const expected = [...offers].sort((a, b) => b.priority - a.priority).map(({ id }) => id);
      expect(taken).toEqual(expected);
    });

    it('hands out as many copies as were offered', async () => {
      const here = await queue();
      const id = anId();
      await here.offer(id, { copies: 3 });
      const { taken } = await collect(await queue(), 4);
      await eventually(() => taken.length === 3);
      expect(taken).toEqual([id, id, id]);
    });

    it('takes offers with the same word as one while the first waits, and again once it was handled', async () => {
      const here = await queue();
      const id = anId();
      await here.offer(id, { once: '7' });
      await here.offer(id, { once: '7' });
      await here.offer(id, { once: '8' });
      const { taken } = await collect(await queue());
      await eventually(() => taken.length === 2);
      await eventually(async () => {
        await here.offer(id, { once: '7' });
        return taken.length > 2;
      });
      // Leaves nothing in the queue for the next test: this is taken after all of them.
      const last = anId();
      await here.offer(last);
      await eventually(() => taken.includes(last));
    });

    it('takes many offers at once, each in its place, and counts what waits', async () => {
      const here = await queue();
      const offers = Array.from({ length: 1_200 }, (_, i) => ({ jobId: anId(), priority: i % 7, once: 'x' }));
      await here.offerAll(offers);
      await here.offerAll(offers);
      expect(await here.waiting()).toBe(offers.length);
      const { taken } = await collect(await queue(), 8);
      await eventually(() => taken.length >= offers.length, 60_000);
      expect(new Set(taken).size).toBe(taken.length);
      // The first ones; those that run at once may be told in another order.
      const urgent = new Set(offers.filter(({ priority }) => priority === 6).map(({ jobId }) => jobId));
      expect(taken.slice(0, urgent.size - 8).every((id) => urgent.has(id))).toBe(true);
      expect(await here.waiting()).toBe(0);
    }, 90_000);

    it('handles no more hints at once than asked for', async () => {
      const here = await queue();
      let running = 0;
      let most = 0;
      let done = 0;
      for (let i = 0; i < 6; i++) await here.offer(anId());
      await (await queue()).work(2, async () => {
        most = Math.max(most, ++running);
        await eventually(() => most === 2);
        running--;
        done++;
      });
      await eventually(() => done === 6);
      expect(most).toBe(2);
    });

    it('finishes what runs before stop resolves, and takes nothing after', async () => {
      const [here, there] = [await queue(), await queue()];
      let release = () => {};
      const gate = new Promise<void>((resolve) => {
        release = resolve;
      });
      const finished: string[] = [];
      const started: string[] = [];
      const working = await there.work(1, async (id) => {
        started.push(id);
        await gate;
        finished.push(id);
      });
      const [first, second] = [anId(), anId()];
      await here.offer(first);
      await eventually(() => started.length === 1);
      const stopping = working.stop();
      await here.offer(second);
      release();
      await stopping;
      expect(finished).toEqual([first]);
      const { taken } = await collect(await queue());
      await eventually(() => taken.includes(second));
    });

    it('says whether it is there', async () => {
      expect(await (await queue()).healthy()).toBe(true);
      await expect(
        openUnreachable().then(async (one) => {
          opened.push(one);
          if (!(await one.healthy())) throw new Error('unhealthy');
        }),
      ).rejects.toThrow();
    });
  });
}
