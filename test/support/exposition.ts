/** A family of metrics as Prometheus reads it: https://prometheus.io/docs/instrumenting/exposition_formats/ */
export interface Family {
  readonly help: string;
  readonly type: string;
  readonly samples: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([^ ]+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const [, name, value] = LABEL.exec(text) ?? [];
    if (name === undefined || value === undefined) throw new Error(`no labels: ${text}`);
    labels[name] = value;
  }
  return labels;
}

/** The families of an answer by name; a line that is none of the format, or belongs to no family, fails. */
export function familiesOf(text: string): ReadonlyMap<string, Family> {
  const families = new Map<string, { help: string; type: string; samples: Family['samples'][number][] }>();
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, word, name = '', rest = ''] = /^# (HELP|TYPE) ([^ ]+) (.+)$/.exec(line) ?? [];
    if (word === 'HELP') {
      if (families.has(name)) throw new Error(`told twice: ${name}`);
      families.set(name, { help: rest, type: '', samples: [] });
    } else if (word === 'TYPE') {
      Object.assign(families.get(name) ?? {}, { type: rest });
    } else {
      const [, sample = '', labels = '', value] = SAMPLE.exec(line) ?? [];
      const family = families.get(sample) ?? families.get(sample.replace(/_(bucket|sum|count)$/, ''));
      if (family === undefined || value === undefined) throw new Error(`no sample: ${line}`);
      family.samples.push({ labels: labelsOf(labels), value: Number(value.replace('Inf', 'Infinity')) });
    }
  }
  return families;
}
