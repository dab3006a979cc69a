import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { createApiClient } from '../../src/cli/api-client.js';
import { type JobEvent, type JobReport, LAUNCH, REPORT, WATCH } from '../../src/cli/operations.js';
import { isFinalState } from '../../src/cli/watch-job.js';

/** A client that keeps one WebSocket open, as a dashboard does. */
export interface GatewayClient {
  launch(input: Readonly<Record<string, unknown>>): Promise<string>;
  /** Every event until the job ends. @throws Error when it does not end well */
  follow(jobId: string, onEvent?: (event: JobEvent) => void): Promise<void>;
  report(jobId: string): Promise<JobReport>;
  close(): Promise<void>;
}

export function openGatewayClient(url: string, token: string): GatewayClient {
  const api = createApiClient({ url, token });
  const socket = createClient({
    url: `${url.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    lazy: false,
    retryAttempts: 0,
    onNonLazyError: () => undefined,
  });
  return {
    async launch(input) {
      const { job, userErrors } = (await api.request(LAUNCH, { input })).launchEtlJob;
      if (job === null) throw new Error(`The job was refused: ${JSON.stringify(userErrors)}`);
      return job.id;
    },
    async follow(jobId, onEvent) {
      const query = { query: WATCH.text, variables: { jobId, afterSeq: 0 } };
      for await (const { data, errors } of socket.iterate<{ jobEvents: JobEvent }>(query)) {
        if (errors !== undefined) throw new Error(JSON.stringify(errors));
        const event = data?.jobEvents;
        if (event === undefined) continue;
        onEvent?.(event);
        if (event.state === 'SUCCEEDED') return;
        if (isFinalState(event.state) || event.state === 'AWAITING_DECISION')
          throw new Error(`The job ended ${event.state}: ${JSON.stringify(event.error)}`);
      }
      throw new Error('The events ended before the job.');
    },
    async report(jobId) {
      const { job } = await api.request(REPORT, { jobId, rows: 1 });
      if (job === null) throw new Error(`There is no job ${jobId}.`);
      return job;
    },
    async close() {
      await socket.dispose();
    },
  };
}
