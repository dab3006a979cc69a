const LONGEST_MS = 60 * 60_000;

/**
 * Retry-After of RFC 9110: seconds, or an HTTP date, which is seen from the answer's own Date so that no clocks are
 * compared. At most an hour.
 * @param now the time when the answer has no Date
 * @returns milliseconds, or null when it is absent or makes no sense
 */
export function retryAfterMs(retryAfter: string | undefined, date: string | undefined, now: Date): number | null {
  if (retryAfter === undefined) return null;
  const text = retryAfter.trim();
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1_000, LONGEST_MS);
  const at = Date.parse(text);
  const from = date === undefined ? Number.NaN : Date.parse(date);
  if (Number.isNaN(at)) return null;
  return Math.min(Math.max(at - (Number.isNaN(from) ? now.getTime() : from), 0), LONGEST_MS);
}
