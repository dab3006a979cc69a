/** Numbers as people read them; always in English form, so that logs of two machines compare. */
const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

export const countText = (count: number): string => grouped.format(count);

export const percentText = (percent: number): string => {
  if (percent === 0) return '0';
  return percent < 0.01 ? '<0.01' : percent.toFixed(2);
};

/** `850 ms`, `8.4 s`, `3 min 05 s`, `2 h 10 min`. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  const two = (n: number) => String(n).padStart(2, '0');
  return hours > 0 ? `${hours} h ${two(minutes)} min` : `${minutes} min ${two(seconds % 60)} s`;
}

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const;

/** A wait that somebody has chosen, exactly: `30 min`, `1 h 30 min`, `7 d`. */
export function spanText(ms: number): string {
  let rest = Math.round(ms / 1000) * 1000;
  const parts = UNITS.flatMap(([size, unit]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count === 0 ? [] : [`${count} ${unit}`];
  });
  return parts.join(' ') || '0 s';
}

/** To the minute; `-` for none. */
export const timeText = (iso: string | null): string =>
  iso === null ? '-' : `${iso.slice(0, 16).replace('T', ' ')} UTC`;
