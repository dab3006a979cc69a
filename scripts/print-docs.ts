import { connectorDocs } from './docs/connectors.js';
import { errorDocs } from './docs/errors.js';
import { limitsWithDifferences } from './docs/limits.js';
import { readmeWithSettings } from './docs/settings.js';
import { type GeneratedFile, writeOrCheck } from './generated-file.js';

/** Documents made from tables of the code. */
const DOCUMENTS: readonly GeneratedFile[] = [
  { path: 'docs/errors.md', generate: errorDocs },
  { path: 'docs/connectors.md', generate: connectorDocs },
  { path: 'docs/limits.md', generate: limitsWithDifferences },
  { path: 'README.md', generate: readmeWithSettings },
];

const isFresh = await writeOrCheck(DOCUMENTS, process.argv);
process.exit(isFresh ? 0 : 1);
