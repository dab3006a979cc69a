// The agents of the escalation benchmark, a process of their own: a webhook each, on a port each. They do what an agent
// has to do (check the signature, drop repetitions, answer 2xx), and remember when the first byte of a call came.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';

/** What the harness says: how many agents, and with which secret; later, that it wants what came so far. */
const order = z.union([z.object({ agents: z.int(), secret: z.string() }), z.literal('take')]);

const message = z.object({ data: z.object({ escalationId: z.string() }) });

export interface Arrival {
  /** Index of the agent. */
  readonly agent: number;
  readonly escalation: string;
  /** The `webhook-id`. */
  readonly id: string;
  /** Epoch milliseconds of the call's head. */
  readonly at: number;
}

export type Word =
  | { readonly kind: 'LISTENING'; readonly ports: readonly number[] }
  | { readonly kind: 'ARRIVALS'; readonly arrivals: readonly Arrival[]; readonly refused: number };

const say = (word: Word) => process.send?.(word);

let arrivals: Arrival[] = [];
let refused = 0;

async function listen(agent: number, secret: string): Promise<number> {
  const webhook = new Webhook(secret);
  const server = createServer((request, response) => {
    const at = performance.timeOrigin + performance.now();
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      try {
        const headers = request.headers as Record<string, string>;
        const { data } = message.parse(webhook.verify(Buffer.concat(chunks).toString(), headers));
        arrivals.push({ agent, escalation: data.escalationId, id: String(headers['webhook-id']), at });
        response.writeHead(204).end();
      } catch {
        refused += 1;
        response.writeHead(401).end();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens on a port has an address of this form.
  return (server.address() as AddressInfo).port;
}

process.on('message', async (said) => {
  const told = order.parse(said);
  if (told === 'take') {
    say({ kind: 'ARRIVALS', arrivals, refused });
    [arrivals, refused] = [[], 0];
    return;
  }
  const ports = await Promise.all(Array.from({ length: told.agents }, (_, agent) => listen(agent, told.secret)));
  say({ kind: 'LISTENING', ports });
});
// Whoever started us is gone.
process.on('disconnect', () => process.exit());
