/** What must never happen, each kind with its cases in words. */
export interface Findings {
  /** A due step, or an opening, for which the outbox has no row. */
  readonly missedSteps: string[];
  /** A notification that its agent never took. */
  readonly unreached: string[];
  /** What waits for something that will not come. */
  readonly standing: string[];
  /** More than one `webhook-id` for one escalation, round, step and agent. */
  readonly secondNotifications: string[];
  /** The log, the outbox or the stored state says otherwise than the state table. */
  readonly differences: string[];
  /** A write that an agent was told is done, and that is not in the log; or one in the log that nobody made. */
  readonly writes: string[];
  /** Verdicts that acted on their jobs never, or more than once. */
  readonly verdicts: string[];
  /** Reports that counted never, or more than once. */
  readonly reports: string[];
  /** Where the chain of the log, or a reader of it, has a gap. */
  readonly log: string[];
}

export const noFindings = (): Findings => ({
  missedSteps: [],
  unreached: [],
  standing: [],
  secondNotifications: [],
  differences: [],
  writes: [],
  verdicts: [],
  reports: [],
  log: [],
});

const MOST_TOLD = 10;

/** The first few of each kind, as lines. */
export const findingLines = (findings: Findings): readonly string[] =>
  Object.entries(findings).flatMap(([kind, cases]: [string, readonly string[]]) => [
    ...cases.slice(0, MOST_TOLD).map((one) => `${kind}: ${one}`),
    ...(cases.length > MOST_TOLD ? [`${kind}: and ${cases.length - MOST_TOLD} more`] : []),
  ]);
