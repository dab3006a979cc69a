import { textTable } from '../../src/cli/text-table.js';

/** One line of the benchmark: what was measured, and what it should be. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** `min` and `max` are in the same unit; none for a figure that is only told. */
  readonly objective?: { readonly min: number } | { readonly max: number };
  /** How it was measured, in a few words. */
  readonly note?: string;
}

const digits = (value: number) => (Math.abs(value) >= 100 ? 0 : 2);

const numberText = (value: number) =>
  Number.isNaN(value) ? 'unknown' : value.toLocaleString('en-US', { maximumFractionDigits: digits(value) });

export function verdict({ objective, value }: Figure): 'ok' | 'missed' | 'unknown' | '' {
  if (objective === undefined) return '';
  if (Number.isNaN(value)) return 'unknown';
  return ('min' in objective ? value >= objective.min : value <= objective.max) ? 'ok' : 'missed';
}

function objectiveText({ objective, unit }: Figure): string {
  if (objective === undefined) return '';
  return 'min' in objective ? `>= ${numberText(objective.min)} ${unit}` : `<= ${numberText(objective.max)} ${unit}`;
}

export function figureTable(figures: readonly Figure[]): string[] {
  return textTable(
    [
      { title: 'figure', align: 'left' },
      { title: 'value', align: 'right' },
      { title: 'objective', align: 'left' },
      { title: '', align: 'left' },
      { title: 'how', align: 'left' },
    ],
    figures.map((figure) => [
      figure.name,
      `${numberText(figure.value)} ${figure.unit}`,
      objectiveText(figure),
      verdict(figure),
      figure.note ?? '',
    ]),
  );
}

/** For machines: one line. */
export const figureJson = (figures: readonly Figure[], facts: object): string =>
  JSON.stringify({
    ...facts,
    figures: figures.map((figure) => ({
      ...figure,
      value: Number.isNaN(figure.value) ? null : figure.value,
      verdict: verdict(figure),
    })),
  });
