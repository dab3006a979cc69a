import cliProgress from 'cli-progress';
import type { Clock } from '../core/clock.js';
import type { JobEvent } from './operations.js';
import { activityText, progressText, shareDone } from './progress-text.js';
import { printable, type Terminal } from './terminal.js';
import { isFinalState } from './watch-job.js';

/** Shows how a job moves: a bar that is drawn in place for a person, plain lines for a log. */
export interface ProgressLine {
  show(event: JobEvent): void;
  /** A remark between the events, e.g. a lost connection. */
  remark(text: string): void;
  /** Leaves the terminal clean. Idempotent. */
  stop(): void;
}

export function createProgressLine(terminal: Terminal, clock: Clock): ProgressLine {
  return terminal.isTty ? barLine(terminal) : plainLines(terminal, clock);
}

const BAR_STEPS = 1000;

function barLine(terminal: Terminal): ProgressLine {
  const bar = new cliProgress.SingleBar({
    stream: terminal.stream,
    format: '{activity} {bar} {percentage} %  {text}',
    formatValue: (value, _options, type) => (type === 'percentage' ? String(value).padStart(3) : String(value)),
    barCompleteChar: '\u2588',
    barIncompleteChar: '\u2591',
    barsize: 24,
    fps: 20,
    hideCursor: true,
    linewrap: true,
    clearOnComplete: true,
    // Ctrl-C is ours: it detaches from the job or cancels it, and then stops the bar.
    gracefulExit: false,
  });
  let running = false;
  const stop = () => {
    if (running) bar.stop();
    running = false;
  };
  return {
    show(event) {
      if (isFinalState(event.state)) return stop();
      const payload = { activity: activityText(event).padEnd(10), text: progressText(event.progress) };
      const value = Math.round((shareDone(event) ?? 0) * BAR_STEPS);
      if (running) bar.update(value, payload);
      else bar.start(BAR_STEPS, value, payload);
      running = true;
    },
    remark(text) {
      stop();
      terminal.out(text);
    },
    stop,
  };
}

/** Often enough to see that it lives, seldom enough to read the log afterwards. */
const PLAIN_EVERY_MS = 1_000;

function plainLines(terminal: Terminal, clock: Clock): ProgressLine {
  let activity = '';
  let shown = '';
  let quietUntil = 0;
  return {
    show(event) {
      if (isFinalState(event.state)) return;
      const now = clock.monotonicMs();
      const next = activityText(event);
      if (next === activity && now < quietUntil) return;
      const share = shareDone(event);
      const percent = share === undefined ? '' : ` ${Math.floor(share * 100)} %`;
      const text = [`${next}${percent}`, progressText(event.progress)].filter((part) => part !== '').join('  ');
      if (text === shown) return;
      activity = next;
      shown = text;
      quietUntil = now + PLAIN_EVERY_MS;
      terminal.out(printable(text));
    },
    remark: (text) => terminal.out(text),
    stop: () => {},
  };
}
