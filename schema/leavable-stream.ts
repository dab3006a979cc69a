/**
 * A stream that its reader can leave at any moment: leaving aborts the signal, even while the next item is awaited.
 * Items are fetched one by one when they are asked for, so that a slow reader makes its source wait and nothing piles
 * up in between.
 */
export function leavableStream<Item>(open: (signal: AbortSignal) => AsyncIterable<Item>): AsyncIterableIterator<Item> {
  const leaving = new AbortController();
  const { signal } = leaving;
  let items: AsyncIterator<Item> | undefined;
  return {
    next: () =>
      new Promise((resolve, reject) => {
        const leave = () => resolve({ done: true, value: undefined });
        if (signal.aborted) return leave();
        signal.addEventListener('abort', leave, { once: true });
        items ??= open(signal)[Symbol.asyncIterator]();
        items
          .next()
          // After the reader has left, what the source says to being aborted changes nothing any more.
          .then(resolve, reject)
          .finally(() => signal.removeEventListener('abort', leave));
      }),
    async return() {
      leaving.abort();
      Promise.resolve(items?.return?.()).catch(() => {});
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
