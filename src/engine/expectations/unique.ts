import { z } from 'zod';
import { defineComponent } from '../component.js';
import type { ExpectationBinding } from './expectation.js';

const Options = z.strictObject({
  columns: z
    .array(z.string())
    .min(1)
    .max(100)
    .describe('Columns that together are unique; rows with a null among them are not judged.'),
});

export const uniqueExpectation = defineComponent<z.infer<typeof Options>, ExpectationBinding>({
  name: 'unique',
  kind: 'expectation',
  summary:
    'No two rows have the same values in these columns. Every row after the first one, in source order, breaks it.',
  options: Options,
  example: { columns: ['id'] },
  bind: ({ columns }) => ({ scope: 'UNIQUE', description: `${columns.join(', ')} unique`, columns }),
});
