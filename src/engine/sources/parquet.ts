import { z } from 'zod';
import { SluiceError } from '../../core/errors.js';
import { quoteIdentifier, quoteLiteral } from '../column.js';
import { defineComponent } from '../component.js';
import { FILE_STRIDE, HIDDEN_PREFIX } from '../relation.js';
import { checkColumnNames } from './columns.js';
import { FileUri } from './file-uri.js';
import { rawRecord, type SourceBinding, type SourceContext, type SourceRelation } from './source.js';

const Options = z.strictObject({ uri: FileUri });

export const parquetSource = defineComponent<z.infer<typeof Options>, SourceBinding>({
  name: 'parquet',
  kind: 'source',
  summary: 'Parquet files, with the types they carry.',
  options: Options,
  example: { uri: 'file:flights.parquet' },
  bind: (options) => ({ uris: [options.uri], stage: async (files) => files, open: openParquet }),
});

async function openParquet({ session, files }: SourceContext): Promise<SourceRelation> {
  const paths = files.map((file) => quoteLiteral(file.path)).join(', ');
  const plain = `read_parquet([${paths}])`;
  let described: readonly Readonly<Record<string, unknown>>[];
  try {
    described = await session.query(`DESCRIBE SELECT * FROM ${plain}`);
  } catch (error) {
    session.throwIfStopped();
    const uris = files.map((file) => file.uri).join(', ');
    throw new SluiceError('FILE_UNREADABLE', `${uris} cannot be read as Parquet.`, { cause: error });
  }
  const columns = described.map((row) => ({
    name: String(row.column_name),
    sql: quoteIdentifier(String(row.column_name)),
    type: String(row.column_type),
  }));
  checkColumnNames(
    columns.map((column) => column.name),
    files[0]?.uri ?? 'The source',
  );
  const from = `read_parquet([${paths}], filename='${HIDDEN_PREFIX}path', file_row_number=true)`;
  return {
    from,
    fromKeepingRejects: from,
    columns,
    checks: [],
    ...rawRecord(columns),
    rowNumber: `file_index::BIGINT * ${FILE_STRIDE} + file_row_number + 1`,
    file: quoteIdentifier(`${HIDDEN_PREFIX}path`),
    rejects: null,
    headerLines: 0,
  };
}
