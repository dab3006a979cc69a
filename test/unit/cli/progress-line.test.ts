import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createProgressLine } from '../../../src/cli/progress-line.js';
import type { Terminal } from '../../../src/cli/terminal.js';
import type { Clock } from '../../../src/core/clock.js';
import { anEvent, aProgress } from './job-events.js';

function aTerminal(isTty: boolean) {
  const lines: string[] = [];
  const stream = Object.assign(new PassThrough(), { isTTY: isTty, columns: 120 });
  let drawn = '';
  stream.on('data', (data) => {
    drawn += String(data);
  });
  const terminal: Terminal = { isTty, stream, out: (line) => lines.push(line), error: (line) => lines.push(line) };
  return { terminal, lines, drawn: () => drawn };
}

function aClock() {
  let ms = 0;
  const never = { cancel: () => {} };
  const clock: Clock = { now: () => new Date(0), monotonicMs: () => ms, after: () => never, every: () => never };
  return {
    clock,
    pass: (more: number) => {
      ms += more;
    },
  };
}

const loading = (rowsLoaded: number, chunksDone: number) =>
  anEvent({
    kind: 'PROGRESS',
    stage: 'LOADING',
    progress: aProgress({
      rowsLoaded,
      totalRows: 3_000_000,
      chunksDone,
      chunksTotal: 20,
      rowsPerSecond: 500_000,
      etaSeconds: 4,
    }),
  });

describe('progress without a terminal', () => {
  it('is a line at every new stage and otherwise at most one a second', () => {
    const { terminal, lines } = aTerminal(false);
    const { clock, pass } = aClock();
    const line = createProgressLine(terminal, clock);
    line.show(anEvent({ state: 'QUEUED' }));
    line.show(anEvent({ stage: 'EVALUATING', progress: aProgress({ stageProgress: 0.256 }) }));
    line.show(loading(300_000, 2));
    pass(200);
    line.show(loading(600_000, 4));
    pass(900);
    line.show(loading(1_500_000, 10));
    line.show(anEvent({ state: 'SUCCEEDED' }));
    line.stop();
    expect(lines).toEqual([
      'queued',
      'evaluating 25 %',
      'loading 10 %  300,000 of 3,000,000 rows, 500,000 rows/s, ETA 4.0 s, chunks 2/20',
      'loading 50 %  1,500,000 of 3,000,000 rows, 500,000 rows/s, ETA 4.0 s, chunks 10/20',
    ]);
  });
});

describe('progress in a terminal', () => {
  it('is a bar that leaves nothing behind but the cursor', () => {
    const { terminal, lines, drawn } = aTerminal(true);
    const line = createProgressLine(terminal, aClock().clock);
    line.show(loading(1_500_000, 10));
    line.show(anEvent({ state: 'SUCCEEDED' }));
    line.stop();
    expect(drawn()).toContain('loading');
    expect(drawn()).toMatch(/█+░+ +50 %/);
    expect(drawn()).toContain('chunks 10/20');
    expect(drawn().lastIndexOf('\u001b[?25h')).toBeGreaterThan(drawn().lastIndexOf('\u001b[?25l'));
    expect(lines).toEqual([]);
  });

  it('makes room for a remark', () => {
    const { terminal, lines } = aTerminal(true);
    const line = createProgressLine(terminal, aClock().clock);
    line.show(loading(10, 0));
    line.remark('The connection was lost.');
    line.stop();
    expect(lines).toEqual(['The connection was lost.']);
  });
});
