import { readFile } from 'node:fs/promises';
import { DIFFERENCES } from '../../test/differential/differences.js';

const BEGIN = '<!-- differences: generated from test/differential/differences.ts by npm run generate -->';
const END = '<!-- end of differences -->';

const cell = (text: string): string => text.replaceAll('|', '\\|');
const code = (text: string): string => `\`${cell(text)}\``;

/** Types of the test by the names that users know; precisions and lengths of the test say nothing. */
const typeName = (type: string): string =>
  type
    .replace(/\(\d+,\d+\)/, '(p,s)')
    .replace(/\(\d+\)/, '(n)')
    .replace('without time zone', '')
    .replace('timestamp with time zone', 'timestamptz')
    .trim();

function table(): string {
  const rows = DIFFERENCES.map(({ name, types, examples, sluice, postgres, reason }) => {
    const names = [...new Set(types.map(typeName))].join(', ');
    return `| ${name} | ${names} | ${examples.map(code).join(', ')} | ${cell(sluice)} | ${cell(postgres)} | ${cell(reason)} |`;
  });
  return ['| what | types | examples | Sluice | PostgreSQL | why |', '|---|---|---|---|---|---|', ...rows].join('\n');
}

/** docs/limits.md with the table of differences brought up to date between its two marks; the rest is written by hand. */
export async function limitsWithDifferences(): Promise<string> {
  const page = await readFile(new URL('../../docs/limits.md', import.meta.url), 'utf8').catch(() => '');
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`docs/limits.md lacks the lines ${BEGIN} and ${END}.`);
  return `${page.slice(0, begin)}${BEGIN}\n\n${table()}\n\n${page.slice(end)}`;
}
