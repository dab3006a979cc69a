import type { Log } from './core/log.js';

/** What was started, to be stopped in reverse: nothing is closed before what uses it. */
export class Shutdown {
  readonly #steps: { readonly name: string; readonly stop: () => Promise<unknown> }[] = [];
  #running: Promise<void> | undefined;

  add(name: string, stop: () => Promise<unknown>): void {
    this.#steps.push({ name, stop });
  }

  /** Stops everything once, however often it is called; what fails to stop does not keep the rest running. */
  run(log: Log): Promise<void> {
    this.#running ??= this.#stopAll(log);
    return this.#running;
  }

  async #stopAll(log: Log): Promise<void> {
    for (const { name, stop } of this.#steps.reverse()) {
      try {
        await stop();
      } catch (error) {
        log.warn({ part: name, reason: String(error) }, 'a part did not stop cleanly');
      }
    }
  }
}
