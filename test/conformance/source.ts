import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Component } from '../../src/engine/component.js';
import type { SourceBinding } from '../../src/engine/sources/source.js';
import { type EngineHome, engineHome, isBalanced } from '../support/engine-home.js';
import { NAMINGS } from './orders.js';

const ROWS = [
  { id: '1', text: 'plain' },
  { id: '2', text: 'é😀 "q" \\ \t' },
  { id: '3', text: null },
] as const;

type Records = readonly Readonly<Record<string, string | null>>[];

/** Files are written by the sink of the same name, which exists for every format but a JSON array. */
async function optionsFor(home: EngineHome, name: string, records: Records): Promise<Record<string, unknown>> {
  const ndjson = records.map((record) => JSON.stringify(record)).join('\n');
  if (name === 'records') return { ndjson };
  if (name === 'json') return { uri: await home.write('source.json', `[${ndjson.replaceAll('\n', ',')}]`) };
  const sink = { [name]: { uri: `file:out/source.${name}` } };
  const { evaluation } = await home.run({ source: { records: { ndjson } }, sink });
  const [file] = evaluation.parts.filter(({ kind }) => kind === 'FILE');
  if (file === undefined) throw new Error(`The sink ${name} has written nothing.`);
  return { uri: await home.write(`source.${name}`, await readFile(file.uri)) };
}

/** What every source promises, whatever its format. */
export function sourceConformance(component: Component<SourceBinding>): void {
  const { name } = component;

  describe(`source ${name}`, () => {
    let home: EngineHome;
    beforeAll(async () => {
      home = await engineHome();
    });

    it('answers the records that were written, and numbers them', async () => {
      const ran = await home.run({
        source: { [name]: await optionsFor(home, name, ROWS) },
        expectations: [{ notNull: { column: 'text' }, severity: 'QUARANTINE' }],
      });
      expect(isBalanced(ran.evaluation)).toBe(true);
      expect(ran.rows).toEqual(ROWS.slice(0, 2));
      expect(ran.bad).toMatchObject([{ rowNumber: 3, reasons: [{ column: 'text', code: 'NOT_NULL' }] }]);
      expect(JSON.parse(ran.bad[0]?.raw ?? '')).toEqual(ROWS[2]);
      expect(ran.bad[0]?.file).toBe(name === 'records' ? 'records' : `file:source.${name}`);
    });

    it.each(NAMINGS)('takes columns named %s', async (_, nameOf) => {
      const records = ROWS.map(({ id, text }) => ({
        [nameOf('name')]: id,
        [nameOf('country')]: text,
        [nameOf('id')]: 'x',
      }));
      const { rows } = await home.run({ source: { [name]: await optionsFor(home, name, records) } });
      expect(rows).toEqual(records);
    });

    it('shows its columns and first rows without a path of this machine', async () => {
      const source = { [name]: await optionsFor(home, name, ROWS) };
      const columns = await home.engine.inferSchema(source);
      expect(columns.map((column) => [column.name, column.nullable])).toEqual([
        ['id', false],
        ['text', true],
      ]);
      expect(columns[0]).toMatchObject({ suggestedType: 'INTEGER' });
      const preview = await home.engine.preview(
        home.pipelineOf({ source, steps: [{ filter: { expression: "id <> '2'" } }] }),
        (work) => work({} as Parameters<typeof work>[0]),
        1,
      );
      expect(preview.stages.map((stage) => [stage.name, stage.rows.length])).toEqual([
        ['source', 1],
        ['steps[0] filter', 1],
        ['sink', 1],
      ]);
      expect(preview.rowsRead).toBe(3);
      expect(JSON.stringify(preview)).not.toContain(home.home);
    });

    const files = name === 'records' ? [] : ['missing', 'empty', 'garbage'];
    it.each(files)('refuses a file that is %s, in words without paths', async (what) => {
      if (what === 'empty') await home.write(what, '');
      // No quote, no line end, no UTF-8, no header of any format.
      if (what === 'garbage') await home.write(what, Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28, 0x80, 0x0a, 0x00]));
      const [failure] = await home.failures({ source: { [name]: { uri: `file:${what}` } } });
      expect(failure).toMatchObject({
        code: what === 'missing' ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE',
        path: ['source'],
      });
      expect(failure?.message).not.toContain(home.home);
      expect(failure?.message).toContain(`file:${what}`);
    });
  });
}
