import { z } from 'zod';
import type { JobSignal } from '../events.js';

const Signal = z.object({
  jobId: z.string(),
  tenant: z.string(),
  seq: z.int().min(0),
  stageProgress: z.number().optional(),
});

/** A payload of the bus as a signal; undefined for what is none, such as one of a newer version. */
export function parseSignal(payload: unknown): JobSignal | undefined {
  const parsed = Signal.safeParse(payload);
  if (!parsed.success) return undefined;
  const { stageProgress, ...signal } = parsed.data;
  return stageProgress === undefined ? signal : { ...signal, stageProgress };
}
