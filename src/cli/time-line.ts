import { durationText } from './quantities.js';
import type { Simulation } from './simulation-operations.js';
import { printable } from './terminal.js';

/** The longest wait of a line is so many rows, the others in proportion; of a long line every wait is one. */
const MOST_ROWS = 6;
const LONG_LINE = 12;
/** A ladder that is climbed for a week has as many moments as nobody reads. */
const MOST_MOMENTS = 24;

const ISO = /^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?$/;

/** Milliseconds of a duration as the gateway writes it: hours, minutes, seconds. */
export function durationMs(text: string): number {
  const [, hours = '0', minutes = '0', seconds = '0'] = ISO.exec(text) ?? [];
  return Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Math.round(Number(seconds) * 1000);
}

const spanText = (ms: number): string => (ms === 0 ? 'at once' : durationText(ms));

/**
 * The ladder as a line from top to bottom: when something happens, what, and between two moments a bar as long as
 * the wait.
 */
export function timeLine({ events, ceoAfter, endAfter }: Simulation): string[] {
  const moments = events.map((event) => ({ ...event, ms: durationMs(event.at) }));
  const width = Math.max(0, ...moments.map(({ ms }) => spanText(ms).length));
  const longest = Math.max(1, ...moments.map(({ ms }, i) => ms - (moments[i - 1]?.ms ?? 0)));
  const scale = moments.length > LONG_LINE ? 1 : MOST_ROWS;
  const margin = ' '.repeat(width);
  const lines = moments.flatMap(({ ms, description }, i) => {
    const isLast = i === moments.length - 1;
    if (i >= MOST_MOMENTS && !isLast) return [];
    const before = moments[i - 1]?.ms ?? 0;
    const rows = ms > before ? Math.max(1, Math.round(((ms - before) / longest) * scale)) : 0;
    const bar = Array.from({ length: rows }, () => `${margin}  |`);
    const left = isLast && i > MOST_MOMENTS ? [`${margin}  :  ${i - MOST_MOMENTS} more, in the same way`] : [];
    const time = i > 0 && ms === before ? '' : spanText(ms);
    return [...left, ...bar, `${time.padStart(width)}  o  ${printable(description)}`];
  });
  const ceo =
    ceoAfter === null ? 'The CEO is never asked.' : `Worst case to the CEO: ${spanText(durationMs(ceoAfter))}.`;
  return [...lines, '', ceo, `Worst case to the end of the ladder: ${spanText(durationMs(endAfter))}.`];
}
