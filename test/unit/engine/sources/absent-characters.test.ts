import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { absentCharacters, bytesToLookFor } from '../../../../src/engine/sources/absent-characters.js';
import { inspectText } from '../../../../src/engine/sources/inspect-text.js';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'sluice-absent-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

let files = 0;
async function absentIn(content: string | Buffer, dialect = { delimiter: ',', quote: '"' }): Promise<string[]> {
  files += 1;
  const path = join(home, `${files}.csv`);
  await writeFile(path, content);
  const { size, mtimeMs } = await stat(path);
  const file = { path, uri: 'file:x', bytes: size, modifiedMs: mtimeMs };
  const { missing } = await inspectText(file, null, bytesToLookFor(dialect));
  return [...absentCharacters((byte) => missing.has(byte), dialect)].sort();
}

test('plain text holds no character that needs an escape', async () => {
  expect(await absentIn('a,b\n1,2\n')).toEqual(['\u0000', '\t', '\n', '\r', '\\'].sort());
});

test('a quote anywhere may hide a line feed in a value', async () => {
  expect(await absentIn('a,b\n1,"2"\n')).not.toContain('\n');
  expect(await absentIn('a,b\n1,"2"\n', { delimiter: ',', quote: '' })).toContain('\n');
});

test('a character at the very end of a large file is found', async () => {
  const large = Buffer.concat([Buffer.alloc(3 * 1024 * 1024 + 17, 'x\n'), Buffer.from('\\\u0000\r\t')]);
  expect(await absentIn(large)).toEqual(['\n']);
});

test('a tab that separates is no tab of a value', async () => {
  expect(await absentIn('a\tb\n1\t2\n', { delimiter: '\t', quote: '"' })).toContain('\t');
  expect(await absentIn('a\tb\n1\t"2"\n', { delimiter: '\t', quote: '"' })).not.toContain('\t');
});

test('a quote beyond ASCII is not looked for, so nothing is claimed', async () => {
  expect(await absentIn('a,b\n1,“2”\n', { delimiter: ',', quote: '“' })).toEqual([]);
});
