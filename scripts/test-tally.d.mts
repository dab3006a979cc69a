export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly remarks: readonly string[];
}

export function readTally(report: string | undefined, run: { exitCode: number; filtered: boolean }): Tally;
