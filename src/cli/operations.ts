/** A GraphQL document and the shape of what it answers. */
export interface Operation<Data, Variables> {
  readonly text: string;
  /** Carries the types only; no operation has a value here. */
  readonly shape?: (variables: Variables) => Data;
}

/** A document whose answer has the shape of Data; a test checks it against the schema. */
export const operation = <Data, Variables>(text: string): Operation<Data, Variables> => ({ text });

export interface Progress {
  readonly rowsRead: number;
  readonly rowsLoaded: number;
  readonly rowsFiltered: number;
  readonly rowsDeduplicated: number;
  readonly rowsQuarantined: number;
  /** Rows that `sql` steps took away; negative when they added some. */
  readonly rowsReshaped: number;
  readonly totalRows: number | null;
  readonly chunksDone: number;
  readonly chunksTotal: number | null;
  readonly rowsPerSecond: number | null;
  readonly etaSeconds: number | null;
  readonly stageProgress: number | null;
}

export interface Failure {
  readonly code: string;
  readonly failureClass: string;
  readonly message: string;
  readonly path: readonly string[] | null;
  readonly details: unknown;
}

export interface JobEvent {
  readonly seq: number;
  readonly at: string;
  readonly kind: 'SNAPSHOT' | 'STATE' | 'STAGE' | 'CHUNK' | 'PROGRESS' | 'LAGGED';
  readonly state: string;
  readonly stage: string | null;
  readonly progress: Progress;
  readonly message: string | null;
  readonly error: Failure | null;
}

export interface JobHead {
  readonly id: string;
  readonly name: string;
  readonly state: string;
}

export interface ExpectationLine {
  readonly ordinal: number;
  readonly kind: string;
  readonly description: string;
  readonly severity: string;
  readonly evaluated: number;
  readonly failed: number;
  readonly percent: number;
  readonly status: string;
}

interface AttemptLine {
  readonly number: number;
  readonly worker: string;
  readonly startedAt: string;
  /** ISO 8601; null while it runs. */
  readonly duration: string | null;
  readonly outcome: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface QuarantinedRow {
  readonly rowNumber: number | null;
  readonly file: string | null;
  readonly reasons: readonly { readonly column: string | null; readonly code: string; readonly message: string }[];
  readonly raw: string;
}

export interface JobReport extends JobHead {
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly attempt: number;
  readonly progress: Progress;
  readonly error: Failure | null;
  /** The last ones, oldest first. */
  readonly attempts: readonly AttemptLine[];
  readonly expectations: readonly ExpectationLine[];
  /** The first rows that were set aside. */
  readonly quarantine: {
    readonly totalCount: number;
    readonly edges: readonly { readonly node: QuarantinedRow }[];
  };
}

export interface UserError {
  readonly code: string;
  readonly message: string;
  readonly path: readonly string[] | null;
}

const PROGRESS = `progress { rowsRead rowsLoaded rowsFiltered rowsDeduplicated rowsQuarantined rowsReshaped totalRows chunksDone
  chunksTotal rowsPerSecond etaSeconds stageProgress }`;
const ERROR = 'error { code failureClass: class message path details }';
export const USER_ERRORS = 'userErrors { code message path }';

export interface LaunchedJob extends JobHead {
  readonly progress: { readonly rowsLoaded: number };
}

interface Launched {
  readonly launchEtlJob: {
    readonly job: LaunchedJob | null;
    readonly replayed: boolean;
    readonly userErrors: readonly UserError[];
  };
}

export const LAUNCH = operation<Launched, { readonly input: Readonly<Record<string, unknown>> }>(`
  mutation LaunchEtlJob($input: LaunchEtlJobInput!) {
    launchEtlJob(input: $input) { job { id name state progress { rowsLoaded } } replayed ${USER_ERRORS} }
  }`);

export const STATE = operation<{ readonly job: JobHead | null }, { readonly jobId: string }>(`
  query JobState($jobId: ID!) { job(id: $jobId) { id name state } }`);

export const WATCH = operation<
  { readonly jobEvents: JobEvent },
  { readonly jobId: string; readonly afterSeq: number | null }
>(`
  subscription WatchJob($jobId: ID!, $afterSeq: Long) {
    jobEvents(jobId: $jobId, afterSeq: $afterSeq) { seq at kind state stage ${PROGRESS} message ${ERROR} }
  }`);

/** The fields of a JobReport; the document has the variable `$rows`. */
export const JOB_REPORT = `
  id name state createdAt startedAt finishedAt attempt ${PROGRESS} ${ERROR}
  attempts(last: 10) { number worker startedAt duration outcome error { code message } }
  expectations { ordinal kind description severity evaluated failed percent status }
  quarantine(first: $rows) { totalCount edges { node { rowNumber file reasons { column code message } raw } } }`;

export const REPORT = operation<{ readonly job: JobReport | null }, { readonly jobId: string; readonly rows: number }>(`
  query ReportJob($jobId: ID!, $rows: Int!) { job(id: $jobId) { ${JOB_REPORT} } }`);
