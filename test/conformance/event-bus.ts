import { afterEach, describe, expect, it } from 'vitest';
import { TOPICS } from '../../src/jobs/events.js';
import type { EventBus } from '../../src/jobs/ports.js';
import { eventually } from '../support/eventually.js';

export interface EventBusAdapter {
  readonly name: string;
  readonly open: () => Promise<EventBus>;
  /** Ends the connections of every bus of this test file, at the server. */
  readonly cutConnections: () => Promise<void>;
}

/** What every bus promises. */
export function describeEventBus({ name, open, cutConnections }: EventBusAdapter): void {
  describe(`the event bus on ${name}`, () => {
    const opened: EventBus[] = [];
    const bus = async () => {
      const one = await open();
      opened.push(one);
      return one;
    };
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((one) => one.close()));
    });

    async function listen(on: EventBus, topic: (typeof TOPICS)[keyof typeof TOPICS] = TOPICS.jobs) {
      const heard: unknown[] = [];
      const gaps: number[] = [];
      const { stop } = await on.subscribe(
        topic,
        (payload) => heard.push(payload),
        () => gaps.push(heard.length),
      );
      return { heard, gaps, stop };
    }

    it('delivers in order to every subscriber on every connection', async () => {
      const [here, there] = [await bus(), await bus()];
      const ears = [await listen(here), await listen(there), await listen(there)];
      const sent = Array.from({ length: 50 }, (_, seq) => ({ jobId: 'a', seq }));
      for (const message of sent) await here.publish(TOPICS.jobs, message);
      for (const { heard } of ears) {
        await eventually(() => heard.length === sent.length);
        expect(heard).toEqual(sent);
      }
    });

    it('keeps topics apart, and stops when told to', async () => {
      const one = await bus();
      const jobs = await listen(one, TOPICS.jobs);
      const cancel = await listen(one, TOPICS.cancel);
      await jobs.stop();
      await one.publish(TOPICS.jobs, { n: 1 });
      await one.publish(TOPICS.cancel, { n: 2 });
      await eventually(() => cancel.heard.length === 1);
      expect(jobs.heard).toEqual([]);
      expect(cancel.heard).toEqual([{ n: 2 }]);
    });

    it('carries quotes, unicode and newlines, and refuses what does not fit', async () => {
      const one = await bus();
      const { heard } = await listen(one);
      const payload = { text: `'"\\\n\u0001 日本 ${'x'.repeat(7_000)}` };
      await one.publish(TOPICS.jobs, payload);
      await eventually(() => heard.length === 1);
      expect(heard).toEqual([payload]);
      await expect(one.publish(TOPICS.jobs, { text: 'x'.repeat(8_000) })).rejects.toThrow(RangeError);
    });

    it('disturbs nobody when one subscriber throws', async () => {
      const one = await bus();
      await one.subscribe(
        TOPICS.jobs,
        () => {
          throw new Error('on purpose');
        },
        () => {},
      );
      const { heard } = await listen(one);
      await one.publish(TOPICS.jobs, { n: 1 });
      await eventually(() => heard.length === 1);
    });

    it('comes back after its connection was cut, and says that messages may be missing', async () => {
      const [here, there] = [await bus(), await bus()];
      const { heard, gaps } = await listen(there);
      await cutConnections();
      await eventually(() => gaps.length > 0);
      await eventually(async () => {
        await here.publish(TOPICS.jobs, { n: 2 }).catch(() => undefined);
        return heard.length > 0;
      });
      expect(heard[0]).toEqual({ n: 2 });
      await eventually(() => there.healthy());
    });

    it('knows a topic that was subscribed to while the connection was away', async () => {
      const [here, there] = [await bus(), await bus()];
      await listen(there, TOPICS.jobs);
      await cutConnections();
      const { heard } = await listen(there, TOPICS.cancel);
      await eventually(async () => {
        await here.publish(TOPICS.cancel, { n: 3 }).catch(() => undefined);
        return heard.length > 0;
      });
    });

    it('is healthy until it is closed', async () => {
      const one = await bus();
      expect(await one.healthy()).toBe(true);
      await one.close();
      expect(await one.healthy()).toBe(false);
    });
  });
}
