import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NotificationMessage } from '../../../escalation/notifiers/message.js';
import { aSecret } from '../../support/notification.js';
import { seededFor } from '../../support/seeded.js';
import { type ReceivedCall, startWebhookServer } from '../../support/webhook-receiver.js';

/** What came under one `webhook-id`. */
export interface Receipt {
  /** Tenant, escalation, round, step and agent: the logical notification. */
  readonly key: string;
  /** At whose address it came first; milliseconds of the wall clock. */
  readonly agent: string;
  readonly firstAt: number;
  tries: number;
  /** Tries after one that was answered with 2xx. */
  repeats: number;
  isAccepted: boolean;
}

export interface Inbox {
  /** The address of an agent's webhook. */
  addressOf(tenant: string, agent: string): string;
  readonly secret: string;
  /** By `webhook-id`. */
  readonly receipts: ReadonlyMap<string, Receipt>;
  /** Calls that nobody signed, or that are about somebody else than the agent called. */
  readonly strays: readonly string[];
  /** Called with every message that comes for the first time. */
  onMessage(run: (tenant: string, message: NotificationMessage) => void): void;
  close(): Promise<void>;
}

/** Deliverers limit their calls to one host and port. */
const SERVERS = 8;
const SLOW_MS = 1_300;

export const keyOf = (tenant: string, escalation: string, round: number, step: number, agent: string): string =>
  [tenant, escalation, round, step, agent].join(' ');

/** The webhooks of all agents: real servers that check signatures, and are at times slow, broken or busy. */
export async function openInbox(seed: number): Promise<Inbox> {
  const secret = aSecret();
  const receipts = new Map<string, Receipt>();
  const strays: string[] = [];
  let tell: (tenant: string, message: NotificationMessage) => void = () => {};
  const servers = await Promise.all(
    Array.from({ length: SERVERS }, () =>
      startWebhookServer(secret, (call, response) => {
        if (!call.isVerified) {
          strays.push(`${call.path}: nobody signed ${call.body.slice(0, 300)}`);
          return;
        }
        // The signature proves that a deliverer made it.
        take(call, call.message as NotificationMessage, response);
      }),
    ),
  );

  function take({ id, path }: ReceivedCall, message: NotificationMessage, response: ServerResponse): void {
    const [, , tenant = '', agent = ''] = path.split('/');
    const { notificationId, escalationId, pipeline, round, step } = message.data;
    const key = keyOf(tenant, escalationId, round, step, message.data.agent);
    const receipt = receipts.get(id) ?? { key, agent, firstAt: Date.now(), tries: 0, repeats: 0, isAccepted: false };
    if (receipt.key !== key || message.data.agent !== agent || notificationId !== id) {
      strays.push(`${path}: ${id} tells ${key} to ${agent}, and told ${receipt.key} before`);
    }
    receipts.set(id, receipt);
    receipt.tries += 1;
    if (receipt.isAccepted) receipt.repeats += 1;
    const accept = () => {
      const isFirst = !receipt.isAccepted;
      receipt.isAccepted = true;
      if (isFirst) tell(tenant, message);
    };
    const name = `${pipeline} ${round} ${step} ${agent} ${receipt.tries}`;
    void answer(response, accept, seededFor(seed, name)());
  }

  return {
    secret,
    receipts,
    strays,
    addressOf(tenant, agent) {
      const server = servers[Math.floor(seededFor(seed, `${tenant} ${agent}`)() * SERVERS)];
      return `${server?.url}/${tenant}/${agent}`;
    },
    onMessage(run) {
      tell = run;
    },
    close: async () => void (await Promise.all(servers.map((server) => server.close()))),
  };
}

/** Mostly 204 at once. @param chance 0 up to 1 */
async function answer(response: ServerResponse, accept: () => void, chance: number): Promise<void> {
  if (chance < 0.02) return void response.writeHead(500).end();
  if (chance < 0.03) return void response.writeHead(503, { 'retry-after': '1' }).end();
  // Longer than a lease, which is renewed meanwhile unless the deliverer dies.
  if (chance >= 0.04 && chance < 0.07) await sleep(chance * (SLOW_MS / 0.07));
  accept();
  // The agent has it, and the deliverer does not know.
  if (chance < 0.04) response.destroy();
  else response.writeHead(204).end();
}
