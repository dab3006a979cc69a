import { readFile } from 'node:fs/promises';
import { LineCounter, parseDocument } from 'yaml';
import { usageFailure } from './client-failure.js';

/** A spec as the launch mutation takes it: name, source, steps, expectations, sink, options. */
export type Spec = Readonly<Record<string, unknown>>;

/** What a file is read for; the word that complaints use. */
type FileRole = 'spec' | 'patch' | 'policy';

/**
 * Reads a job spec, or something else that is a mapping, in YAML or JSON. The gateway judges what is inside; here only the notation is checked.
 *
 * @throws ClientFailure naming the file, and the line and column of a mistake in the notation
 */
export async function readSpecFile(path: string, role: FileRole = 'spec'): Promise<Spec> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'there is no such file' : error.message;
    throw usageFailure(`The ${role} ${path} cannot be read: ${why}.`);
  });
  return parseSpec(text, path, role);
}

/** @param name of the file, for the sentence of a mistake */
export function parseSpec(text: string, name: string, role: FileRole = 'spec'): Spec {
  const lines = new LineCounter();
  // JSON is YAML too, so that one parser names line and column for both. Whole numbers stay exact as bigint.
  const document = parseDocument(text, { lineCounter: lines, intAsBigInt: true, prettyErrors: false });
  const [mistake] = document.errors;
  if (mistake !== undefined) {
    const { line, col } = lines.linePos(mistake.pos[0]);
    throw usageFailure(
      `The ${role} ${name} is not readable at line ${line}, column ${col}: ${sentence(mistake.message)}`,
    );
  }
  const value: unknown = toNumbers(plainValue(document, name, role));
  if (!isMapping(value)) {
    const like = role === 'spec' ? ' with name, source and sink, as in docs/examples/orders.yaml' : '';
    throw usageFailure(`The ${role} ${name} must be a mapping${like}.`);
  }
  return value;
}

/** @throws ClientFailure when aliases would blow up the document */
function plainValue(document: ReturnType<typeof parseDocument>, name: string, role: FileRole): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw usageFailure(`The ${role} ${name} is not readable: ${sentence(error instanceof Error ? error.message : '')}`);
  }
}

const isMapping = (value: unknown): value is Spec =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** bigint where a number would lose digits, number elsewhere. */
function toNumbers(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(toNumbers);
  if (isMapping(value)) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toNumbers(inner)]));
  return value;
}

const sentence = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`);
