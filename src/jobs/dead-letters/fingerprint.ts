import { createHash } from 'node:crypto';
import { JOB_STAGES, type JobError, type JobStage } from '../job.js';

/** What differs from job to job in messages that say the same; in this order. */
const PARTICULARS: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<id>'],
  // An apostrophe within a word is none that opens or closes.
  [/"[^"]*"|`[^`]*`|(?<![\p{L}\p{N}])'[^']*'(?![\p{L}\p{N}])/gu, '<value>'],
  // Hashes and tokens; a word of letters alone is none, and one of digits alone is a number.
  [/\b(?=[a-f]*\d)[0-9a-f]{8,}\b/gi, '<n>'],
  // Times, addresses and versions are one number each.
  [/\d+(?:[.,:]\d+)*/g, '<n>'],
  [/\s+/g, ' '],
];

/** What tells one message from another stands in the beginning. */
const LONGEST_MESSAGE = 2_000;

/** A message without its ids, quoted values and numbers: equal for failures of the same kind. */
export const shapeOf = (message: string): string =>
  PARTICULARS.reduce(
    (text, [pattern, instead]) => text.replaceAll(pattern, instead),
    message.slice(0, LONGEST_MESSAGE),
  ).trim();

/** Names what a job died of: code, stage, and the shape of the message. 16 hexadecimal digits. */
export function fingerprintOf({ code, message }: Pick<JobError, 'code' | 'message'>, stage: JobStage | null): string {
  return createHash('sha256')
    .update([code, stage ?? '', shapeOf(message)].join('\n'))
    .digest('hex')
    .slice(0, 16);
}

/** The fingerprint for each stage, and under '' for none: the row of the job knows in which it dies. */
export const fingerprintByStage = (error: Pick<JobError, 'code' | 'message'>): Readonly<Record<string, string>> =>
  Object.fromEntries([null, ...JOB_STAGES].map((stage) => [stage ?? '', fingerprintOf(error, stage)]));
