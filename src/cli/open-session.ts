import { readFile } from 'node:fs/promises';
import type { Clock } from '../core/clock.js';
import { createApiClient } from './api-client.js';
import type { ClientConfig } from './client-config.js';
import { usageFailure } from './client-failure.js';
import type { Session } from './follow-job.js';
import { createProgressLine } from './progress-line.js';
import { createHumanReporter, createJsonReporter } from './reporter.js';
import type { Terminal } from './terminal.js';

/** The options that every command of a client has. */
export interface ClientOptions {
  readonly url?: string;
  readonly token?: string;
  readonly json?: boolean;
}

/** What a command needs from the process around it. */
export interface Surroundings extends Pick<Session, 'onInterrupt' | 'quit'> {
  readonly config: () => ClientConfig;
  readonly clock: Clock;
  readonly terminal: () => Terminal;
}

/** @throws ClientFailure when the address is no URL */
export async function openSession(surroundings: Surroundings, options: ClientOptions): Promise<Session> {
  const { clock, onInterrupt, quit } = surroundings;
  const config = surroundings.config();
  const url = options.url ?? config.url;
  if (!isHttpUrl(url)) throw usageFailure(`--url ${url} is no address such as http://127.0.0.1:4000.`);
  const token = options.token ?? config.token ?? (await tokenOfThisMachine(url, config.tokenFile));
  const terminal = surroundings.terminal();
  const reporter = options.json
    ? createJsonReporter(terminal)
    : createHumanReporter(terminal, createProgressLine(terminal, clock));
  return { api: createApiClient({ url, token }), url, clock, reporter, onInterrupt, quit };
}

const isHttpUrl = (text: string) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

/** The bootstrap token of the gateway beside us. It is an admin's, so it never travels to another machine. */
async function tokenOfThisMachine(url: string, file: string): Promise<string | undefined> {
  const { hostname } = new URL(url);
  if (!/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)) return undefined;
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trim() === '' ? undefined : text.trim();
}
