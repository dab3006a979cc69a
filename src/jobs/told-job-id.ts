import { z } from 'zod';

const message = z.object({ jobId: z.string() });

/** The job that a message of the bus is about; undefined when somebody else sent it. */
export function toldJobId(payload: unknown): string | undefined {
  return message.safeParse(payload).data?.jobId;
}
