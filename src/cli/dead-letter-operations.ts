import { type JobHead, type Operation, operation, USER_ERRORS, type UserError } from './operations.js';

/** A filter as the API takes it; null for what is not asked for. */
export type DeadLetterFilter = Readonly<Record<string, string | null>>;

export interface DeadLetterLine {
  readonly fingerprint: string;
  readonly diedAt: string;
  readonly redriveCount: number;
  readonly job: JobHead & { readonly error: { readonly code: string; readonly message: string } | null };
}

export const LIST_DEAD_LETTERS = operation<
  {
    readonly deadLetters: { readonly totalCount: number; readonly edges: readonly { readonly node: DeadLetterLine }[] };
  },
  { readonly filter: DeadLetterFilter; readonly first: number }
>(`
  query ListDeadLetters($filter: DeadLetterFilter!, $first: Int!) {
    deadLetters(filter: $filter, first: $first) {
      totalCount edges { node { fingerprint diedAt redriveCount job { id name state error { code message } } } }
    }
  }`);

export interface DeadLetterGroup {
  readonly fingerprint: string;
  readonly count: number;
  readonly code: string | null;
  readonly message: string | null;
  readonly names: readonly string[];
  readonly nameCount: number;
  readonly firstDiedAt: string;
  readonly lastDiedAt: string;
  readonly sample: JobHead;
}

export const GROUP_DEAD_LETTERS = operation<
  { readonly deadLetterGroups: readonly DeadLetterGroup[] },
  { readonly filter: DeadLetterFilter; readonly first: number }
>(`
  query GroupDeadLetters($filter: DeadLetterFilter!, $first: Int!) {
    deadLetterGroups(filter: $filter, first: $first) {
      fingerprint count code message names nameCount firstDiedAt lastDiedAt sample { id name state }
    }
  }`);

export interface Taken {
  readonly taken: number;
  readonly refusedCount: number;
  readonly refused: readonly { readonly jobId: string; readonly reason: string }[];
  readonly remaining: number;
  /** Of a redrive alone. */
  readonly redriveId?: string | null;
  readonly lastDueAt?: string | null;
  readonly replayed?: boolean;
}

type TakeOperation = Operation<
  { readonly answer: Taken & { readonly userErrors: readonly UserError[] } },
  { readonly input: Readonly<Record<string, unknown>> }
>;

const TAKEN = `taken refusedCount refused { jobId reason } remaining ${USER_ERRORS}`;

export const REDRIVE_DEAD_LETTERS: TakeOperation = operation(`
  mutation RedriveDeadLetters($input: RedriveDeadLettersInput!) {
    answer: redriveDeadLetters(input: $input) { redriveId lastDueAt replayed ${TAKEN} }
  }`);
export const DISCARD_DEAD_LETTERS: TakeOperation = operation(`
  mutation DiscardDeadLetters($input: DiscardDeadLettersInput!) { answer: discardDeadLetters(input: $input) { ${TAKEN} } }`);
