import { z } from 'zod';
import { quoteLiteral } from '../column.js';
import { defineComponent } from '../component.js';
import { compressionOf, fileSink, targetUri, textCompression } from './file-sink.js';
import type { SinkBinding } from './sink.js';

const options = z.strictObject({ uri: targetUri('file:out/orders.ndjson'), compression: textCompression });

type NdjsonSinkOptions = z.infer<typeof options>;

export const ndjsonSink = defineComponent<NdjsonSinkOptions, SinkBinding>({
  name: 'ndjson',
  kind: 'sink',
  summary: 'A file with one JSON object a line, written aside and renamed, so that it appears whole or not at all.',
  options,
  example: { uri: 'file:out/orders.ndjson.gz' },
  bind({ uri, compression }) {
    const compressed = compressionOf(uri, compression, ['.ndjson', '.jsonl']);
    return fileSink({ format: 'ndjson', copyOptions: `FORMAT json, COMPRESSION ${quoteLiteral(compressed)}`, uri });
  },
});
