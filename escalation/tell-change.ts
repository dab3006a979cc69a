import type { Log } from '../src/core/log.js';
import type { EscalationStatus } from './escalation.js';
import type { Change, Wake, WakeWord } from './ports.js';

/** What nobody waits for in time: a lost word costs a poll. */
export async function tell(wake: Wake, log: Log, tenant: string, words: readonly WakeWord[]): Promise<void> {
  await Promise.all(
    words.map((word) =>
      wake.tell(word, tenant).catch((error: unknown) => log.debug({ word, reason: String(error) }, 'not told')),
    ),
  );
}

/** Something may be due earlier, a verdict acts, or a paused target is released. */
const MOVES: readonly EscalationStatus[] = ['DECIDED', 'RESOLVED'];

/** Who has to look after a change has been stored. */
export function wordsFor({ next, effects }: Pick<Change, 'next' | 'effects'>): readonly WakeWord[] {
  const words: WakeWord[] = ['LOG'];
  if (effects.some(({ kind }) => kind === 'NOTIFY')) words.push('OUTBOX');
  if (next.dueAt !== null || MOVES.includes(next.status)) words.push('DUE');
  return words;
}
