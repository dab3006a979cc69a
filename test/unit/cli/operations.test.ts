import { readFile } from 'node:fs/promises';
import { parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { buildSluiceSchema } from '../../../schema/build.js';
import { CANCEL, LAUNCH, REPORT, WATCH } from '../../../src/cli/operations.js';

describe('what the client asks', () => {
  const schema = buildSluiceSchema();

  it.each([LAUNCH, CANCEL, WATCH, REPORT])('fits the schema: $text', ({ text }) => {
    expect(validate(schema, parse(text))).toEqual([]);
  });

  it.each(['launch-orders', 'watch-orders'])('fits the schema: docs/examples/%s.graphql', async (name) => {
    const text = await readFile(`docs/examples/${name}.graphql`, 'utf8');
    expect(validate(schema, parse(text))).toEqual([]);
  });
});
