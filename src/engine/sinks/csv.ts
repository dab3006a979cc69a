import { z } from 'zod';
import { quoteLiteral } from '../column.js';
import { defineComponent } from '../component.js';
import { compressionOf, fileSink, targetUri, textCompression } from './file-sink.js';
import type { SinkBinding } from './sink.js';

const oneByte = z.string().regex(/^[\t -~]$/, 'Must be one ASCII character.');

const options = z
  .strictObject({
    uri: targetUri('file:out/orders.csv'),
    delimiter: oneByte.default(',').describe('Between two values, one ASCII character. Default ",".'),
    quote: oneByte.default('"').describe("Around values that need it, one ASCII character. Default '\"'."),
    escape: oneByte.default('"').describe("Before a quote inside a value, one ASCII character. Default '\"'."),
    header: z.boolean().default(true).describe('Begin with a line of column names. Default true.'),
    nullString: z
      .string()
      .max(100)
      .regex(/^[^\r\n\0]*$/, 'Must fit on a line.')
      .default('')
      .describe('What stands for NULL; a text of the same letters is quoted. Default: nothing.'),
    compression: textCompression,
  })
  .superRefine(({ delimiter, quote, escape: escaping, nullString }, context) => {
    const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (delimiter === quote || delimiter === escaping) issue('delimiter', 'Must differ from quote and escape.');
    if (/[\w ]/.test(delimiter)) issue('delimiter', 'Must not be a letter, a digit or a blank.');
    if ([delimiter, quote].some((mark) => mark !== '' && nullString.includes(mark)))
      issue('nullString', 'Must not hold the delimiter or quote.');
  });

type CsvSinkOptions = z.infer<typeof options>;

export const csvSink = defineComponent<CsvSinkOptions, SinkBinding>({
  name: 'csv',
  kind: 'sink',
  summary: 'A CSV file in UTF-8, written aside and renamed, so that it appears whole or not at all.',
  options,
  example: { uri: 'file:out/orders.csv', delimiter: ';' },
  bind({ uri, delimiter, quote, escape: escaping, header, nullString, compression }) {
    const compressed = compressionOf(uri, compression, ['.csv', '.tsv', '.txt']);
    const copyOptions = [
      'FORMAT csv',
      `HEADER ${header}`,
      `DELIMITER ${quoteLiteral(delimiter)}`,
      `QUOTE ${quoteLiteral(quote)}`,
      `ESCAPE ${quoteLiteral(escaping)}`,
      `NULLSTR ${quoteLiteral(nullString)}`,
      `COMPRESSION ${quoteLiteral(compressed)}`,
    ].join(', ');
    return fileSink({ format: 'csv', copyOptions, uri });
  },
});
