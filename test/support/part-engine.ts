import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../../src/engine/engine.js';
import type { Evaluation } from '../../src/engine/pipeline.js';
import type { Part } from '../../src/engine/sinks/sink.js';

export interface PartEngineOptions {
  /** Good rows of each ROWS part, of the columns `id` and `name`. */
  readonly parts: readonly (readonly (readonly [id: number, name: string])[])[];
  /** Raw records of the QUARANTINE part; none makes no part. */
  readonly bad?: readonly string[];
  /** What the evaluation claims, where it is to differ from the truth. */
  readonly claims?: Partial<Evaluation>;
  /** Runs before anything is written; an error it throws is the evaluation's. */
  readonly before?: (signal: AbortSignal) => Promise<void>;
}

const refuse = () => Promise.reject(new Error('not part of this test'));

/** Stands for DuckDB: writes real part files with known rows, so that a test is about what happens to them. */
export function partEngine({ parts, bad = [], claims, before }: PartEngineOptions): Engine {
  return {
    openSessions: () => 0,
    check: async () => undefined,
    async evaluate({ pipeline, stagingDir, loadId = '', signal, onProgress }) {
      const { loadIdColumn } = pipeline.sink;
      await before?.(signal);
      onProgress?.({ fraction: 0.5 });
      const written: Part[] = [];
      const write = async (kind: Part['kind'], lines: readonly string[]) => {
        const ordinal = written.length;
        const uri = join(stagingDir, `part-${ordinal}`);
        const text = lines.map((line) => `${line}\n`).join('');
        await writeFile(uri, text);
        written.push({ ordinal, kind, uri, offset: 0, bytes: text.length, expectedRows: lines.length });
      };
      for (const rows of parts)
        await write(
          'ROWS',
          rows.map(([id, name]) => (loadIdColumn ? `${id}\t${name}\t${loadId}` : `${id}\t${name}`)),
        );
      if (bad.length > 0) {
        const reasons = JSON.stringify([{ column: 'id', code: 'RANGE', message: 'too large' }]);
        await write(
          'QUARANTINE',
          bad.map((raw, i) => `${i + 1}\tfile:x.csv\t${reasons}\t${raw}`),
        );
      }
      const rowsGood = parts.flat().length;
      return {
        rowsRead: rowsGood + bad.length,
        rowsFiltered: 0,
        rowsDeduplicated: 0,
        rowsReshaped: 0,
        rowsQuarantined: bad.length,
        rowsGood,
        parts: written,
        expectations: [],
        sourceColumns: [{ name: 'id', type: 'VARCHAR' }],
        output: [
          { name: 'id', type: 'BIGINT' },
          { name: 'name', type: 'VARCHAR' },
          ...(loadIdColumn ? [{ name: loadIdColumn, type: 'UUID' }] : []),
        ],
        target: { columns: null, key: [] },
        ...claims,
      };
    },
    preview: refuse,
    inferSchema: refuse,
    tryFix: refuse,
  };
}
