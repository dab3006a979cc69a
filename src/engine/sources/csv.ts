import { z } from 'zod';
import { SluiceError } from '../../core/errors.js';
import { quoteIdentifier, quoteLiteral } from '../column.js';
import { defineComponent } from '../component.js';
import type { ResolvedFile } from '../pipeline.js';
import { HIDDEN_PREFIX } from '../relation.js';
import { absentCharacters, bytesToLookFor } from './absent-characters.js';
import { checkColumnNames } from './columns.js';
import { type FirstRecord, firstRecord } from './csv-header.js';
import { Compression, FileUri } from './file-uri.js';
import { inspectText } from './inspect-text.js';
import type { Quoting } from './quoted-spans.js';
import {
  type CsvReaders,
  csvReaders,
  rawRecord,
  type SourceBinding,
  type SourceContext,
  type SourceRelation,
} from './source.js';
import { unpackFiles } from './unpack.js';

/** One ASCII character that is no line end, or nothing. */
const QuoteCharacter = z.string().regex(/^[^\r\n\0\u0080-\u{10ffff}]?$/u, 'Give one ASCII character, or nothing.');

const Options = z.strictObject({
  uri: FileUri,
  delimiter: z
    .string()
    .regex(/^[^\r\n\0]$/u, 'The delimiter is exactly one character, and no line end.')
    .default(',')
    .describe('Character between values; a tab for TSV.'),
  quote: QuoteCharacter.default('"').describe('Character around values; empty for none.'),
  escape: QuoteCharacter.default('"').describe('Character before a quote inside a quoted value.'),
  header: z
    .boolean()
    .default(true)
    .describe('Whether the first line names the columns; else they are column0, column1, ...'),
  columns: z
    .array(z.string().min(1))
    .min(1)
    .max(2_000)
    .optional()
    .describe('Column names in order, instead of those of the header.'),
  nullStrings: z
    .array(z.string().max(100))
    .max(20)
    .default([''])
    .describe('Unquoted values that mean null. Default: the empty value.'),
  encoding: z.enum(['UTF8', 'LATIN1']).default('UTF8').describe('Character encoding of the file.'),
  compression: Compression,
});
type CsvOptions = z.infer<typeof Options>;

export const csvSource = defineComponent<CsvOptions, SourceBinding>({
  name: 'csv',
  kind: 'source',
  summary: 'Delimited text files (CSV, TSV). Every column is text until a `cast` step gives it a type.',
  options: Options,
  example: { uri: 'file:orders.csv', header: true, delimiter: ',' },
  bind(options) {
    for (const name of ['quote', 'escape'] as const) {
      if (options[name] === options.delimiter) {
        throw new SluiceError('INVALID_INPUT', `\`${name}\` and \`delimiter\` have to differ.`, { path: [name] });
      }
    }
    return {
      uris: [options.uri],
      stage: (files, workDir, signal) => unpackFiles(files, options.compression, workDir, signal),
      open: (context) => openCsv(options, context),
    };
  },
});

async function openCsv(options: CsvOptions, context: SourceContext): Promise<SourceRelation> {
  const records = await Promise.all(context.files.map((file) => firstRecord(file, options)));
  const names = columnNames(options, context.files, records);
  const texts = context.isLoading
    ? await Promise.all(context.files.map((file) => inspectText(file, quoting(options), bytesToLookFor(options))))
    : null;
  const absent = texts === null ? '' : absentCharacters((byte) => texts.every((t) => t.missing.has(byte)), options);
  const columns = names.map((name) => ({ name, sql: quoteIdentifier(name), type: 'VARCHAR', absent }));
  const reader = [
    fileList(context.files),
    ...dialect(options),
    ...lineEnd(records),
    'auto_detect=false',
    `header=${options.header}`,
    `columns={${names.map((name) => `${quoteIdentifier(name)}: 'VARCHAR'`).join(', ')}}`,
    `nullstr=[${options.nullStrings.map(quoteLiteral).join(', ')}]`,
    'allow_quoted_nulls=false',
    `filename='${HIDDEN_PREFIX}path'`,
  ];
  const isText = options.encoding === 'LATIN1' || (texts?.every((text) => text.isUtf8) ?? false);
  return {
    ...(isText ? csvReaders(reader) : readingAll(csvReaders(reader), names)),
    columns,
    checks: [],
    ...rawRecord(columns),
    rowNumber: null,
    file: quoteIdentifier(`${HIDDEN_PREFIX}path`),
    headerLines: options.header ? 1 : 0,
  };
}

/**
 * Every query sees the same malformed rows only when all of them read every column: DuckDB finds wrong bytes in
 * the columns that it reads, and drops what a query does not use.
 */
function readingAll(readers: CsvReaders, names: readonly string[]): CsvReaders {
  const all = (from: string): string =>
    `(SELECT * FROM ${from} WHERE hash(${names.map(quoteIdentifier).join(', ')}) IS NOT NULL)`;
  return { ...readers, from: all(readers.from), fromKeepingRejects: all(readers.fromKeepingRejects) };
}

const fileList = (files: readonly ResolvedFile[]): string => `[${files.map((f) => quoteLiteral(f.path)).join(', ')}]`;

function quoting({ quote, escape: escaping, delimiter }: CsvOptions): Quoting | null {
  if (quote === '') return null;
  return { quote: quote.charCodeAt(0), escape: escaping.charCodeAt(0), delimiter: Buffer.from(delimiter).at(-1) ?? 0 };
}

const dialect = (options: CsvOptions): string[] => [
  `delim=${quoteLiteral(options.delimiter)}`,
  `quote=${quoteLiteral(options.quote)}`,
  `escape=${quoteLiteral(options.quote === '' ? '' : options.escape)}`,
  `encoding='${options.encoding === 'LATIN1' ? 'latin-1' : 'utf-8'}'`,
];

/** Files whose line ends differ are left to DuckDB, which looks at each. */
function lineEnd(records: readonly FirstRecord[]): string[] {
  const [first = '', ...others] = new Set(records.map((record) => record.lineEnd).filter((end) => end !== ''));
  const written = first.replace('\r', '\\r').replace('\n', '\\n');
  return first === '' || others.length > 0 ? [] : [`new_line=${quoteLiteral(written)}`];
}

/** Names from the options or from the header, which has to be the same in every file. */
function columnNames(
  { columns, header: hasHeader }: CsvOptions,
  files: readonly ResolvedFile[],
  records: readonly FirstRecord[],
): readonly string[] {
  const [first, ...others] = files.map(({ uri }, i) => ({ uri, fields: records[i]?.fields ?? [] }));
  if (first === undefined) throw new SluiceError('FILE_NOT_FOUND', 'The source names no file.');
  if (columns !== undefined) {
    if (columns.length !== first.fields.length) {
      throw new SluiceError(
        'INVALID_INPUT',
        `${columns.length} columns are named, but ${first.uri} has ${first.fields.length}.`,
        { path: ['columns'] },
      );
    }
    checkColumnNames(columns, 'The list of columns');
    return columns;
  }
  if (!hasHeader) return first.fields.map((_, i) => `column${i}`);
  checkColumnNames(first.fields, first.uri);
  for (const { uri, fields } of others) {
    if (fields.join('\u0000') !== first.fields.join('\u0000')) {
      throw new SluiceError(
        'FILE_UNREADABLE',
        `${uri} has another header than ${first.uri}; files of one source need the same columns in the same order.`,
      );
    }
  }
  return first.fields;
}
