import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ClientFailure, EXIT } from '../../../src/cli/client-failure.js';
import { parseSpec, readSpecFile } from '../../../src/cli/spec-file.js';

function failureOf(work: () => unknown): ClientFailure {
  try {
    work();
  } catch (error) {
    if (error instanceof ClientFailure) return error;
    throw error;
  }
  throw new Error('It was accepted.');
}

describe('a spec file', () => {
  it('may be YAML', async () => {
    const spec = await readSpecFile('docs/examples/orders.yaml');
    expect(spec).toMatchObject({ name: 'orders', source: { csv: { uri: 'file:orders.csv', header: true } } });
  });

  it('may be JSON', () => {
    expect(parseSpec('{"name": "x", "source": {"records": {"rows": [{"a": 1.5}]}}}', 'a.json')).toEqual({
      name: 'x',
      source: { records: { rows: [{ a: 1.5 }] } },
    });
  });

  it('keeps whole numbers that a double would round', () => {
    expect(parseSpec('id: 9007199254740993\nsmall: 7', 'a.yaml')).toEqual({ id: 9_007_199_254_740_993n, small: 7 });
  });

  it.each([
    ['name: [1, 2', 'line 1, column 12'],
    ['name: a\nsource:\n  csv: {uri: "x"\nsink: b', 'line 4'],
    ['{"name": "a",\n "sink": {"csv" 1}}', 'line 2'],
    ['name: a\nname: b', 'line 2, column 1'],
    ['name: a\n---\nname: b', 'line 2'],
  ])('is refused with line and column: %j', (text, where) => {
    const failure = failureOf(() => parseSpec(text, 'orders.yaml'));
    expect(failure.exitCode).toBe(EXIT.usage);
    expect(failure.message).toContain('orders.yaml');
    expect(failure.message).toContain(where);
  });

  it.each(['', '# nothing', '- a\n- b', 'orders', '42'])('must be a mapping: %j', (text) => {
    expect(failureOf(() => parseSpec(text, 'a.yaml')).message).toMatch(/must be a mapping/);
  });

  it('does not expand aliases without bound', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]'];
    for (const [name, of] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf'].map((pair) => [...pair])) {
      bomb.push(`${name}: &${name} [${Array(9).fill(`*${of}`).join(',')}]`);
    }
    expect(failureOf(() => parseSpec(bomb.join('\n'), 'a.yaml')).exitCode).toBe(EXIT.usage);
  });

  it('that is not there is named', async () => {
    await expect(readSpecFile('/nowhere/spec.yaml')).rejects.toThrow(/\/nowhere\/spec.yaml.*no such file/);
  });

  it('of the examples has a file to read', async () => {
    expect(await readFile('docs/examples/orders.csv', 'utf8')).toMatch(/^id,created_at,customer_email/);
  });
});
