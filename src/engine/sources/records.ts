import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SluiceError } from '../../core/errors.js';
import { defineComponent } from '../component.js';
import { openDocuments } from './json-documents.js';
import { linesOf } from './ndjson.js';
import type { SourceBinding } from './source.js';

export const MAX_INLINE_RECORDS = 10_000;

const Options = z.strictObject({
  rows: z
    .array(z.record(z.string(), z.unknown()))
    .max(MAX_INLINE_RECORDS, `At most ${MAX_INLINE_RECORDS} records fit inline; upload a file for more.`)
    .optional()
    .describe('The records as JSON objects.'),
  ndjson: z
    .string()
    .optional()
    .describe('The records as text, one JSON object a line; every number arrives exactly as it is written.'),
});
type RecordsOptions = z.infer<typeof Options>;

export const recordsSource = defineComponent<RecordsOptions, SourceBinding>({
  name: 'records',
  kind: 'source',
  summary: `Up to ${MAX_INLINE_RECORDS.toLocaleString('en')} records given inline.`,
  options: Options,
  example: {
    rows: [
      { id: 1, name: 'Ada' },
      { id: 2, name: 'Grace' },
    ],
  },
  bind(options) {
    const text = ndjsonText(options);
    return {
      uris: [],
      async stage(_files, workDir) {
        const path = join(workDir, 'records.ndjson');
        await writeFile(path, text);
        return [{ path, uri: 'records', bytes: Buffer.byteLength(text), modifiedMs: 0 }];
      },
      open: async (context) => openDocuments(context, await linesOf(context)),
    };
  },
});

function ndjsonText({ rows, ndjson }: RecordsOptions): string {
  if ((rows === undefined) === (ndjson === undefined)) {
    throw new SluiceError('EXACTLY_ONE_MEMBER', 'Give either `rows` or `ndjson`.');
  }
  if (rows !== undefined) {
    if (rows.length === 0) throw new SluiceError('INVALID_INPUT', 'Give at least one record.', { path: ['rows'] });
    return `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`;
  }
  const text = ndjson ?? '';
  const lines = text.split('\n').filter((line) => line.trim() !== '').length;
  if (lines === 0 || lines > MAX_INLINE_RECORDS) {
    throw new SluiceError('INVALID_INPUT', `Give 1 to ${MAX_INLINE_RECORDS} lines; there are ${lines}.`, {
      path: ['ndjson'],
    });
  }
  return text;
}
