import { readFile } from 'node:fs/promises';
import { VARIABLES } from '../../src/config.js';

const BEGIN = '<!-- settings: generated from src/config.ts by npm run generate -->';
const END = '<!-- end of settings -->';

function table(): string {
  const rows = Object.entries(VARIABLES).map(
    ([name, { meaning, default: value }]) => `| \`${name}\` | ${meaning} | ${value} |`,
  );
  return ['| variable | meaning | default |', '|---|---|---|', ...rows].join('\n');
}

/** README.md with the table of settings brought up to date between its two marks; the rest is written by hand. */
export async function readmeWithSettings(): Promise<string> {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8').catch(() => '');
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin === -1 || end < begin)
    throw new Error(`README.md lacks the lines ${BEGIN} and ${END} around the table of settings.`);
  return `${readme.slice(0, begin)}${BEGIN}\n\n${table()}\n\n${readme.slice(end)}`;
}
