import type { JobEvent } from '../events.js';
import type { EventStream } from './event-stream.js';

/** A stream that opens when its first event is asked for, and closes even when its reader leaves while it opens. */
export function lazyStream(open: () => Promise<EventStream>): AsyncIterableIterator<JobEvent> {
  let opening: Promise<EventStream> | undefined;
  let isClosed = false;
  const done = { done: true, value: undefined } as const;
  return {
    async next() {
      if (isClosed) return done;
      opening ??= open();
      const stream = await opening;
      if (!isClosed) return stream.next();
      stream.end();
      return done;
    },
    async return() {
      isClosed = true;
      opening?.then(
        (stream) => stream.end(),
        // Whoever asked for the first event has been told.
        () => {},
      );
      return done;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
