import { z } from 'zod';
import { SluiceError } from '../../core/errors.js';
import { defineComponent } from '../component.js';
import type { ExpectationBinding } from './expectation.js';

const Options = z.strictObject({
  min: z.int().min(0).optional().describe('Fewest rows that will be loaded.'),
  max: z.int().min(0).optional().describe('Most rows that will be loaded.'),
});

export const rowCountExpectation = defineComponent<z.infer<typeof Options>, ExpectationBinding>({
  name: 'rowCount',
  kind: 'expectation',
  summary: 'The number of rows that will be loaded lies between two bounds.',
  options: Options,
  example: { min: 1 },
  bind({ min, max }) {
    if (min === undefined && max === undefined) throw new SluiceError('INVALID_INPUT', 'Give `min`, `max` or both.');
    const words = [min === undefined ? '' : `at least ${min}`, max === undefined ? '' : `at most ${max}`]
      .filter(Boolean)
      .join(', ');
    return { scope: 'ROW_COUNT', description: `number of rows: ${words}`, min: min ?? null, max: max ?? null };
  },
});
