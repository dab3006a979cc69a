import { foldRepeats, type Moment } from './fold-repeats.js';
import { spanText } from './quantities.js';
import type { Simulation } from './simulation-operations.js';
import { printable } from './terminal.js';

/** The longest wait of a line is so many rows, the others in proportion; of a long line every wait is one. */
const MOST_ROWS = 6;
const LONG_LINE = 12;

const ISO = /^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?$/;

/** Milliseconds of a duration as the gateway writes it: hours, minutes, seconds. */
export function durationMs(text: string): number {
  const [, hours = '0', minutes = '0', seconds = '0'] = ISO.exec(text) ?? [];
  return Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Math.round(Number(seconds) * 1000);
}

const momentText = (ms: number): string => (ms === 0 ? 'at once' : spanText(ms));

/**
 * The ladder as a line from top to bottom: when something happens, what, and between two moments a bar as long as
 * the wait. What repeats is drawn once.
 */
export function timeLine({ events, ceoAfter, endAfter }: Simulation): string[] {
  const times = events.map(({ at }) => durationMs(at));
  const moments = events.map(({ description: text }, i): Moment => {
    const ms = times[i] ?? 0;
    return { ms, waitMs: ms - (times[i - 1] ?? 0), text };
  });
  const shown = foldRepeats(moments);
  const waits = shown.map((one) => ('times' in one ? 0 : one.waitMs));
  const longest = Math.max(1, ...waits);
  const scale = shown.length > LONG_LINE ? 1 : MOST_ROWS;
  const width = Math.max(0, ...shown.map((one) => ('times' in one ? 0 : momentText(one.ms).length)));
  const margin = ' '.repeat(width);
  const lines = shown.flatMap((one, i) => {
    if ('times' in one) return [`${margin}  ⋮  the same every ${spanText(one.everyMs)}, ${one.times} times more`];
    const rows = one.waitMs > 0 ? Math.max(1, Math.round((one.waitMs / longest) * scale)) : 0;
    const labelled = Math.floor((rows - 1) / 2);
    const bar = Array.from({ length: rows }, (_, row) =>
      row === labelled ? `${margin}  │  ${spanText(one.waitMs)}` : `${margin}  │`,
    );
    const time = i > 0 && one.waitMs === 0 ? '' : momentText(one.ms);
    return [...bar, `${time.padStart(width)}  ●  ${printable(one.text)}`];
  });
  const ceo =
    ceoAfter === null ? 'The CEO is never asked.' : `Worst case to the CEO: ${momentText(durationMs(ceoAfter))}.`;
  const end = `Worst case to the end of the ladder: ${momentText(durationMs(endAfter))}.`;
  return [...lines, '', ...whoIsWho(events), ceo, end];
}

/** The agents by name, in the order in which they are asked. */
function whoIsWho(events: Simulation['events']): string[] {
  const names = new Map(events.flatMap(({ agents }) => agents).map(({ id, name }) => [id, name]));
  if (names.size === 0) return [];
  const width = Math.max(...[...names.keys()].map((id) => id.length));
  return [...[...names].map(([id, name]) => printable(`${id.padEnd(width)}  ${name}`)), ''];
}
