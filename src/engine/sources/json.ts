import { z } from 'zod';
import { quoteLiteral } from '../column.js';
import { defineComponent } from '../component.js';
import { Compression, FileUri } from './file-uri.js';
import { openDocuments } from './json-documents.js';
import type { SourceBinding } from './source.js';
import { unpackFiles } from './unpack.js';

const Options = z.strictObject({ uri: FileUri, compression: Compression });

export const jsonSource = defineComponent<z.infer<typeof Options>, SourceBinding>({
  name: 'json',
  kind: 'source',
  summary: 'A JSON file that is one array of objects. An element that is no object becomes a bad row.',
  options: Options,
  example: { uri: 'file:movies.json' },
  bind: (options) => ({
    uris: [options.uri],
    stage: (files, workDir, signal) => unpackFiles(files, options.compression, workDir, signal),
    open: (context) => {
      const paths = context.files.map((file) => quoteLiteral(file.path)).join(', ');
      // DuckDB's default of 16 MB a record, said here because docs and tests rely on it.
      const reader = `read_json_objects([${paths}], format='array', maximum_object_size=16777216, filename=true)`;
      const from = `(SELECT CAST(json AS VARCHAR) AS doc, filename FROM ${reader})`;
      return openDocuments(context, { from, fromKeepingRejects: from, file: 'filename', rejects: null });
    },
  }),
});
