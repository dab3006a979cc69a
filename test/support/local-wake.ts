import type { Wake, WakeWord } from '../../escalation/ports.js';

/** Words that reach everybody in this process at once. */
export function localWake(): Wake {
  const listeners = new Set<{ readonly what: WakeWord; readonly run: (tenant: string) => void }>();
  return {
    async tell(what, tenant) {
      for (const listener of listeners) if (listener.what === what) listener.run(tenant);
    },
    async on(what, run) {
      const listener = { what, run };
      listeners.add(listener);
      return {
        async stop() {
          listeners.delete(listener);
        },
      };
    },
  };
}
