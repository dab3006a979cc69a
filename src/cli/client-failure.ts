import type { InputPath } from '../core/errors.js';

/** What the commands of a client answer to the shell. */
export const EXIT = {
  ok: 0,
  /** The job failed, was cancelled or is dead, or the request was refused as a mistake of the caller. */
  failed: 1,
  /** The command line or the spec file could not be read. */
  usage: 2,
  /** The gateway does not answer, or not to this token. */
  unreachable: 3,
  /** The job failed in a way that somebody has to decide about; it is held until then. */
  awaiting: 4,
  /** The user stopped watching with Ctrl-C (128 + SIGINT, as shells have it); the job goes on. */
  detached: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface Complaint {
  /** A code of the gateway's table, or one of ours such as `SPEC_INVALID`. */
  readonly code: string;
  /** One sentence. */
  readonly message: string;
  readonly path?: InputPath | undefined;
}

/** Ends a command: what to tell, and the exit code. */
export class ClientFailure extends Error {
  override readonly name = 'ClientFailure';

  constructor(
    readonly exitCode: ExitCode,
    readonly complaints: readonly [Complaint, ...Complaint[]],
  ) {
    super(complaints.map((complaint) => complaint.message).join(' '));
  }
}

export const usageFailure = (message: string): ClientFailure =>
  new ClientFailure(EXIT.usage, [{ code: 'USAGE', message }]);

/** `['steps', 0, 'cast', 'columns', 1]` as a person would write it: `steps[0].cast.columns[1]`. */
export function pathText(path: InputPath): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number' || /^\d+$/.test(part)) return `${text}[${part}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

/** One line for people: where, what, and the code to look up. */
export function complaintText({ code, message, path }: Complaint): string {
  const where = path === undefined || path.length === 0 ? '' : `${pathText(path)}: `;
  return `${where}${message} (${code})`;
}
