import { z } from 'zod';
import { ERROR_CODES, type ErrorCode } from '../src/core/errors.js';
import { FAILURE_CLASSES, type FailureClass } from '../src/core/failure-class.js';

/** What a job itself says of how its failures are escalated: `options.escalation` of its spec. */
export interface JobSettings {
  /** Codes of which the job says what class they are, whatever the rules say. */
  readonly classes: readonly { readonly code: ErrorCode; readonly failureClass: FailureClass }[];
  /** Columns whose values no evidence shows. */
  readonly sensitiveColumns: readonly string[];
}

/** Of what is no job. */
export const NO_SETTINGS: JobSettings = { classes: [], sensitiveColumns: [] };

// The keys of the table are its codes, which `Object.keys` cannot know.
const CODES = Object.keys(ERROR_CODES) as ErrorCode[];

const settings = z.object({
  classes: z.array(z.object({ code: z.enum(CODES), failureClass: z.enum(FAILURE_CLASSES) })).catch([]),
  sensitiveColumns: z.array(z.string()).catch([]),
});

/** Checked when the job was launched; what another version has stored and nobody here knows is left out. */
export const settingsOf = (stored: unknown): JobSettings =>
  settings.catch({ classes: [], sensitiveColumns: [] }).parse(stored);

const spec = z.object({ options: z.object({ escalation: z.unknown() }) });

/** @param stored the whole spec of a job */
export const settingsOfSpec = (stored: unknown): JobSettings =>
  settingsOf(spec.safeParse(stored).data?.options.escalation);
