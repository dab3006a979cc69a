/** A piece of work that waits for the test, and ends at once when it is told to stop. */
export function gate() {
  let open = () => {};
  let reached = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const isReached = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const wait = async (signal: AbortSignal) => {
    reached();
    signal.throwIfAborted();
    const aborted = new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
    );
    await Promise.race([opened, aborted]);
  };
  return { open, isReached, wait };
}
