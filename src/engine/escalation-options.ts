import { z } from 'zod';
import { ERROR_CODES, type ErrorCode } from '../core/errors.js';
import { FAILURE_CLASSES, isAsked } from '../core/failure-class.js';

// The keys of the table are its codes, which `Object.keys` cannot know.
const CODES = Object.keys(ERROR_CODES) as ErrorCode[];

const HeldCode = z.enum(CODES, 'There is no such error code.').superRefine((code, context) => {
  const { failureClass } = ERROR_CODES[code];
  if (isAsked(failureClass)) return;
  const message =
    failureClass === 'TRANSIENT'
      ? `${code} is tried again; what a job is held for when it comes back on every attempt is RETRIES_EXHAUSTED.`
      : `A job that fails with ${code} ends: its caller can mend it, and nobody is asked.`;
  context.addIssue({ code: 'custom', message });
});

const AskedClass = z
  .enum(FAILURE_CLASSES, 'There is no such failure class.')
  .refine(isAsked, 'Nobody is asked about TRANSIENT and INVALID_REQUEST; `onFailure: FAIL` lets a job end instead.');

const Classes = z
  .array(z.strictObject({ code: HeldCode, failureClass: AskedClass }))
  .superRefine((overrides, context) => {
    const codes = overrides.map(({ code }) => code);
    codes.forEach((code, i) => {
      if (codes.indexOf(code) === i) return;
      context.addIssue({ code: 'custom', message: `${code} stands there twice.`, path: [i, 'code'] });
    });
  });

const MAX_COLUMNS = 2_000;

const Columns = z
  .array(z.string().min(1, 'Must not be empty.'))
  .max(MAX_COLUMNS, `At most ${MAX_COLUMNS} columns.`)
  .superRefine((columns, context) => {
    const names = columns.map((column) => column.toLowerCase());
    names.forEach((name, i) => {
      if (names.indexOf(name) === i) return;
      context.addIssue({ code: 'custom', message: `"${columns[i]}" stands there twice.`, path: [i] });
    });
  });

/** How failures of a job that somebody is asked about are escalated; only the escalation of the job reads it. */
export const EscalationOptions = z.strictObject({
  /** Codes of which the job itself says what class they are, before any rule. */
  classes: Classes.default([]),
  /** Columns, as they are called at any point of the pipeline, whose values no evidence shows. */
  sensitiveColumns: Columns.default([]),
});
