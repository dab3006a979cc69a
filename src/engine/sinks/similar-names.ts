/** Levenshtein distance: the fewest single-character changes that turn one text into the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The candidates that a misspelt name may have meant, nearest first, at most three; case does not count. */
export function similarNames(name: string, candidates: readonly string[]): readonly string[] {
  const wanted = name.toLowerCase();
  const reach = Math.max(1, Math.floor(wanted.length / 3));
  return candidates
    .map((candidate) => ({ candidate, far: distance(wanted, candidate.toLowerCase()) }))
    .filter(({ far }) => far <= reach)
    .sort((a, b) => a.far - b.far)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** ` Did you mean "orders"?`, or nothing. */
export function didYouMean(name: string, candidates: readonly string[]): string {
  const similar = similarNames(name, candidates);
  return similar.length === 0 ? '' : ` Did you mean ${similar.map((each) => `"${each}"`).join(' or ')}?`;
}
