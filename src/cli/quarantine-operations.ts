import { type JobHead, operation, USER_ERRORS, type UserError } from './operations.js';

export interface QuarantinedLine {
  readonly id: string;
  readonly rowNumber: number | null;
  readonly file: string | null;
  readonly status: string;
  readonly raw: string;
  readonly fixedValues: string | null;
  readonly reasons: readonly { readonly column: string | null; readonly code: string; readonly message: string }[];
}

export interface QuarantineGroupLine {
  readonly code: string;
  readonly column: string | null;
  readonly expectation: number | null;
  readonly rows: number;
  readonly sample: { readonly rowNumber: number | null; readonly raw: string };
}

export interface QuarantineFilterInput {
  readonly statuses: readonly string[] | null;
  readonly code: string | null;
  readonly column: string | null;
}

interface OfJob {
  readonly jobId: string;
  readonly filter: QuarantineFilterInput;
  readonly first: number;
}

export interface FixAnswer {
  readonly rows: number;
  readonly good: number;
  readonly bad: number;
  readonly fixed: number;
  readonly reasons: readonly { readonly code: string; readonly column: string | null; readonly rows: number }[];
  readonly samples: readonly {
    readonly id: string | null;
    readonly reasons: readonly { readonly message: string }[];
    readonly values: string;
  }[];
}

interface Mistakes {
  readonly userErrors: readonly UserError[];
}

export const LIST_QUARANTINE = operation<
  {
    readonly quarantine: { readonly totalCount: number; readonly edges: readonly { readonly node: QuarantinedLine }[] };
  },
  OfJob
>(`
  query ListQuarantine($jobId: ID!, $filter: QuarantineFilter, $first: Int!) {
    quarantine(jobId: $jobId, filter: $filter, first: $first) {
      totalCount edges { node { id rowNumber file status raw fixedValues reasons { column code message } } }
    }
  }`);

export const GROUP_QUARANTINE = operation<
  {
    readonly quarantineGroups: {
      readonly totalGroups: number;
      readonly groups: readonly QuarantineGroupLine[];
      readonly counts: readonly { readonly status: string; readonly rows: number }[];
    };
  },
  OfJob
>(`
  query GroupQuarantine($jobId: ID!, $filter: QuarantineFilter, $first: Int!) {
    quarantineGroups(jobId: $jobId, filter: $filter, first: $first) {
      totalGroups groups { code column expectation rows sample { rowNumber raw } } counts { status rows }
    }
  }`);

export const FIX_ROWS = operation<{ readonly fix: FixAnswer & Mistakes }, { readonly input: object }>(`
  mutation FixRows($input: FixQuarantinedRowsInput!) {
    fix: fixQuarantinedRows(input: $input) {
      rows good bad fixed reasons { code column rows } samples { id reasons { message } values } ${USER_ERRORS}
    }
  }`);

export const REPLAY_ROWS = operation<
  {
    readonly replay: { readonly job: JobHead | null; readonly rows: number; readonly replayed: boolean } & Mistakes;
  },
  { readonly input: object }
>(`
  mutation ReplayRows($input: ReplayQuarantineInput!) {
    replay: replayQuarantine(input: $input) { job { id name state } rows replayed ${USER_ERRORS} }
  }`);

export const DISCARD_ROWS = operation<
  { readonly discard: { readonly discarded: number } & Mistakes },
  { readonly input: object }
>(`
  mutation DiscardRows($input: DiscardQuarantinedRowsInput!) {
    discard: discardQuarantinedRows(input: $input) { discarded ${USER_ERRORS} }
  }`);
