import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { ESCALATION_STATUSES } from '../../../escalation/escalation.js';
import { VERDICTS } from '../../../escalation/verdict.js';
import { oneOf, ROW_STATUS_WORDS, STATUS_WORDS, someOf, VERDICT_WORDS } from '../../../src/cli/words.js';
import { QUARANTINE_STATUSES } from '../../../src/jobs/job.js';

describe('words of the command line', () => {
  it('are those of the API', () => {
    expect(STATUS_WORDS).toEqual(ESCALATION_STATUSES);
    expect(VERDICT_WORDS).toEqual(VERDICTS);
    expect(ROW_STATUS_WORDS).toEqual(QUARANTINE_STATUSES);
  });

  it('are taken in any case, and a slip is told with the words there are', () => {
    expect(oneOf(VERDICT_WORDS)('patch_spec')).toBe('PATCH_SPEC');
    expect(someOf(STATUS_WORDS)('Held', ['ASKING'])).toEqual(['ASKING', 'HELD']);
    expect(() => oneOf(['RETRY', 'ABORT'])('RETRYY')).toThrow(InvalidArgumentError);
    expect(() => oneOf(['RETRY', 'ABORT'])('RETRYY')).toThrow('It must be one of RETRY, ABORT.');
  });
});
