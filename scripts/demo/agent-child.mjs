import { join } from 'node:path';
import { startChild } from './child-process.mjs';

/** The chief of the core division, who is asked about pipelines of the data-processing layer. */
export const AGENT_ID = 'chief-2';

/**
 * Starts the agent.
 *
 * @param options.onLine is told what the agent does
 * @returns {{ ready: Promise<void>, died: Promise<never>, stop: () => Promise<void> }}
 */
export function startAgent({ root, home, url, token, onLine }) {
  let isReady;
  const ready = new Promise((resolve) => {
    isReady = resolve;
  });
  const { died, stop } = startChild({
    name: `The agent ${AGENT_ID}`,
    args: [join(root, 'scripts', 'demo', 'agent.mjs')],
    cwd: root,
    env: { AGENT_ID, GATEWAY_URL: url, GATEWAY_TOKEN: token },
    log: join(home, 'agent.log'),
    onLine: (line) => (line === 'ready' ? isReady() : onLine(line)),
  });
  return { ready, died, stop };
}
