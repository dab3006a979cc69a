import { type Operation, operation, USER_ERRORS, type UserError } from './operations.js';

export interface AgentName {
  readonly id: string;
  readonly name: string;
}

export interface EscalationHead {
  readonly id: string;
  readonly title: string;
  readonly failureClass: string;
  readonly status: string;
  readonly version: number;
  readonly dueAt: string | null;
  readonly openedAt: string;
  readonly asked: readonly AgentName[];
  readonly holder: AgentName | null;
}

export interface EscalationLogLine {
  readonly seq: number;
  readonly at: string;
  readonly kind: string;
  readonly actor: string;
  /** Null where it is about no escalation. */
  readonly status: string | null;
  readonly data: unknown;
}

export interface EscalationReport extends EscalationHead {
  readonly rule: string;
  readonly confidence: number;
  readonly owner: AgentName | null;
  readonly pipeline: string;
  readonly target: string | null;
  readonly step: number;
  readonly occurrences: number;
  readonly resolvedAt: string | null;
  readonly allowedVerdicts: readonly string[];
  readonly verdict: { readonly kind: string; readonly agent: AgentName | null; readonly comment: string | null } | null;
  readonly job: { readonly id: string; readonly name: string; readonly state: string } | null;
  readonly policy: { readonly id: string; readonly version: number } | null;
  readonly evidence: unknown;
  readonly log: readonly EscalationLogLine[];
}

const HEAD = 'id title failureClass status version dueAt openedAt asked { id name } holder { id name }';

export const LIST_ESCALATIONS = operation<
  {
    readonly escalations: {
      readonly totalCount: number;
      readonly edges: readonly { readonly node: EscalationHead }[];
    };
  },
  { readonly filter: Readonly<Record<string, unknown>>; readonly first: number }
>(`
  query ListEscalations($filter: EscalationFilter!, $first: Int!) {
    escalations(filter: $filter, first: $first) { totalCount edges { node { ${HEAD} } } }
  }`);

export const SHOW_ESCALATION = operation<{ readonly escalation: EscalationReport | null }, { readonly id: string }>(`
  query ShowEscalation($id: ID!) {
    escalation(id: $id) {
      ${HEAD} rule confidence owner { id name } pipeline target step occurrences resolvedAt allowedVerdicts
      verdict { kind agent { id name } comment } job { id name state } policy { id version } evidence
      log { seq at kind actor status data }
    }
  }`);

export const ESCALATION_VERSION = operation<
  { readonly escalation: { readonly version: number } | null },
  { readonly id: string }
>('query EscalationVersion($id: ID!) { escalation(id: $id) { version } }');

/** What every write to an escalation answers. */
export interface EscalationWritten {
  readonly escalation: EscalationHead | null;
  readonly conflict: { readonly current: EscalationHead } | null;
  readonly userErrors: readonly UserError[];
}

export interface Write {
  readonly id: string;
  readonly expectedVersion: number;
  readonly agent: string;
}

const WRITTEN = `escalation { ${HEAD} } conflict { current { ${HEAD} } } ${USER_ERRORS}`;

export type WriteOperation<Input> = Operation<{ readonly written: EscalationWritten }, { readonly input: Input }>;

export const ACKNOWLEDGE: WriteOperation<Write> = operation(`
  mutation Acknowledge($input: AcknowledgeEscalationInput!) { written: acknowledgeEscalation(input: $input) { ${WRITTEN} } }`);

export const SUBMIT_VERDICT: WriteOperation<
  Write & { readonly kind: string; readonly patch: unknown; readonly comment: string | null }
> = operation(`
  mutation SubmitVerdict($input: SubmitVerdictInput!) { written: submitVerdict(input: $input) { ${WRITTEN} } }`);

export const LOG_STATUS = operation<
  {
    readonly escalationLogStatus: {
      readonly ok: boolean;
      readonly brokenSeq: number | null;
      readonly problem: string | null;
      readonly lastSeq: number;
    };
  },
  Record<string, never>
>('query EscalationLogStatus { escalationLogStatus { ok brokenSeq problem lastSeq } }');
