import { beforeAll, describe, expect, it } from 'vitest';
import type { Component } from '../../src/engine/component.js';
import { type EngineHome, engineHome, isBalanced, type Ran } from '../support/engine-home.js';
import { NAMINGS, ordersFile, RESERVED_NAMING, renameColumns, unknownColumns } from './orders.js';

const UNKNOWN = 'no_such_column';

/** What every step and every expectation promises, shown with its own example over the orders. */
export function stepConformance(component: Component<unknown>): void {
  const { kind, name, example } = component;
  const within = (options: unknown, cast: unknown) =>
    kind === 'step'
      ? { steps: [{ cast }, { [name]: options }] }
      : { steps: [{ cast }], expectations: [{ [name]: options, severity: 'WARN' }] };
  const path = kind === 'step' ? ['steps', 1, name] : ['expectations', 0, name];

  describe(`${kind} ${name}`, () => {
    let home: EngineHome;
    const source = async (file: string, csv: string) => ({ csv: { uri: await home.write(file, csv) } });

    beforeAll(async () => {
      home = await engineHome();
    });

    it('runs its example and accounts for every row', async () => {
      const { csv, cast } = ordersFile();
      const { evaluation } = await home.run({ source: await source('orders.csv', csv), ...within(example, cast) });
      expect(evaluation.rowsRead).toBe(3);
      expect(isBalanced(evaluation)).toBe(true);
    });

    it('takes an input without rows', async () => {
      const { csv, cast } = ordersFile(undefined, 0);
      const { evaluation } = await home.run({ source: await source('empty.csv', csv), ...within(example, cast) });
      expect(evaluation).toMatchObject({ rowsRead: 0, rowsQuarantined: 0 });
      expect(isBalanced(evaluation)).toBe(true);
    });

    const mentions = unknownColumns(example, UNKNOWN);
    // A component that names no column has none to be unknown.
    const testMentions = mentions.length > 0 ? it : null;
    testMentions?.('says which column is unknown, and where', async () => {
      const { csv, cast } = ordersFile();
      const from = await source('orders.csv', csv);
      let refused = 0;
      for (const options of mentions) {
        const outcome = await home.run({ source: from, ...within(options, cast) }).catch((error: unknown) => error);
        if (outcome instanceof Error) {
          refused += 1;
          expect(outcome, JSON.stringify(options)).toMatchObject({
            errors: [{ code: 'UNKNOWN_COLUMN', message: expect.stringContaining(UNKNOWN) }],
          });
          expect(outcome).toMatchObject({
            errors: [{ path: expect.arrayContaining(path) }],
          });
        } else {
          // The name of a column that the step makes.
          expect(outcome, JSON.stringify(options)).toMatchObject({
            evaluation: { output: expect.arrayContaining([expect.objectContaining({ name: UNKNOWN })]) },
          });
        }
      }
      expect(refused).toBeGreaterThan(0);
    });

    it.each([...NAMINGS, ['like SQL words', RESERVED_NAMING] as const])(
      'does the same over columns named %s',
      async (_, nameOf) => {
        const plain = ordersFile();
        const expected = await home.run({
          source: await source('plain.csv', plain.csv),
          ...within(example, plain.cast),
        });
        const odd = ordersFile(nameOf);
        const ran = await home.run({
          source: await source('odd.csv', odd.csv),
          ...within(renameColumns(example, nameOf), odd.cast),
        });
        expect(valuesOf(ran)).toEqual(valuesOf(expected));
        expect(ran.bad.length).toEqual(expected.bad.length);
        expect(failuresOf(ran)).toEqual(failuresOf(expected));
      },
    );
  });
}

/** Steps over all rows promise no order. */
const valuesOf = (ran: Ran): readonly string[] =>
  ran.rows.map((row) => JSON.stringify(ran.evaluation.output.map(({ name }) => row[name]))).sort();
const failuresOf = (ran: Ran): readonly number[] => ran.evaluation.expectations.map((outcome) => outcome.failed);
