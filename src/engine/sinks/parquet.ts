import { z } from 'zod';
import { quoteLiteral } from '../column.js';
import { defineComponent } from '../component.js';
import { fileSink, requireEnding, targetUri } from './file-sink.js';
import type { SinkBinding } from './sink.js';

const options = z.strictObject({
  uri: targetUri('file:out/orders.parquet'),
  compression: z
    .enum(['ZSTD', 'SNAPPY', 'GZIP', 'NONE'])
    .default('ZSTD')
    .describe('Of the pages inside the file. SNAPPY is read by the oldest readers. Default ZSTD.'),
});

type ParquetSinkOptions = z.infer<typeof options>;

export const parquetSink = defineComponent<ParquetSinkOptions, SinkBinding>({
  name: 'parquet',
  kind: 'sink',
  summary: 'A Parquet file, written aside and renamed, so that it appears whole or not at all.',
  options,
  example: { uri: 'file:out/orders.parquet' },
  bind({ uri, compression }) {
    requireEnding(uri, ['.parquet'], uri);
    const codec = compression === 'NONE' ? 'uncompressed' : compression.toLowerCase();
    return fileSink({ format: 'parquet', copyOptions: `FORMAT parquet, COMPRESSION ${quoteLiteral(codec)}`, uri });
  },
});
