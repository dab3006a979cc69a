import { z } from 'zod';
import { quoteIdentifier, quoteLiteral } from '../column.js';
import { defineComponent } from '../component.js';
import { HIDDEN_PREFIX } from '../relation.js';
import { Compression, FileUri } from './file-uri.js';
import { inspectText } from './inspect-text.js';
import { type DocumentRelation, openDocuments } from './json-documents.js';
import { csvReaders, type SourceBinding, type SourceContext } from './source.js';
import { unpackFiles } from './unpack.js';

const Options = z.strictObject({ uri: FileUri, compression: Compression });

export const ndjsonSource = defineComponent<z.infer<typeof Options>, SourceBinding>({
  name: 'ndjson',
  kind: 'source',
  summary: 'Newline-delimited JSON: one object a line. A line that is no object becomes a bad row, not an error.',
  options: Options,
  example: { uri: 'file:events.ndjson' },
  bind: (options) => ({
    uris: [options.uri],
    stage: (files, workDir, signal) => unpackFiles(files, options.compression, workDir, signal),
    open: async (context) => openDocuments(context, await linesOf(context)),
  }),
});

/**
 * Lines as text. DuckDB's CSV reader splits them in parallel and keeps a broken line as it is, where its JSON
 * reader would stop the whole read. The delimiter is a control character that valid JSON cannot contain.
 */
export async function linesOf({ files, isLoading }: SourceContext): Promise<DocumentRelation> {
  if (isLoading) await Promise.all(files.map((file) => inspectText(file, null)));
  const reader = [
    `[${files.map((file) => quoteLiteral(file.path)).join(', ')}]`,
    'auto_detect=false',
    'header=false',
    `delim='\u0001'`,
    `quote=''`,
    `escape=''`,
    `columns={doc: 'VARCHAR'}`,
    `filename='${HIDDEN_PREFIX}path'`,
  ];
  return { ...csvReaders(reader), file: quoteIdentifier(`${HIDDEN_PREFIX}path`) };
}
