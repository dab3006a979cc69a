import { describe, expect, it } from 'vitest';
import { parsePipeline } from '../../../src/engine/parse-pipeline.js';
import { mergePatch, quarantiningFailures, withoutErrorBudget } from '../../../src/jobs/spec-changes.js';

describe('a merge patch', () => {
  // "Appendix A" of RFC 7396.
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('of %j with %j is %j', (target, patch, expected) => {
    const before = JSON.stringify(target);
    expect(mergePatch(target, patch)).toEqual(expected);
    expect(JSON.stringify(target)).toBe(before);
  });

  it('reaches no prototype', () => {
    const merged = mergePatch(
      {},
      JSON.parse('{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}'),
    );
    expect(Object.keys(merged as object)).toEqual(['__proto__', 'constructor']);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    expect('polluted' in {}).toBe(false);
  });
});

describe('a spec made lenient', () => {
  const { json } = parsePipeline({
    source: { records: { rows: [{ id: 1 }] } },
    expectations: [
      { notNull: { column: 'id' } },
      { range: { column: 'id', max: 3 }, severity: 'QUARANTINE', threshold: { count: 1 } },
      { unique: { columns: ['id'] }, severity: 'WARN', threshold: { percent: 5 } },
      { rowCount: { min: 5 } },
    ],
    sink: { postgres: { table: 'target' } },
    options: { chunkRows: 7, errorBudget: { count: 3, percent: 1 } },
  });

  it('has no error budget, and is otherwise what it was', () => {
    const changed = parsePipeline(withoutErrorBudget(json));
    expect(changed.options).toEqual({ ...json.options, errorBudget: { count: null, percent: null, minRows: 0 } });
    expect({ ...changed.json, options: null }).toEqual({ ...json, options: null });
  });

  it('sets aside what fails an expectation, whatever its threshold', () => {
    const changed = parsePipeline(quarantiningFailures(json));
    const unlimited = { count: null, percent: null, minRows: 0 };
    expect(changed.expectations.map(({ name, severity, threshold }) => ({ name, severity, threshold }))).toEqual([
      { name: 'notNull', severity: 'QUARANTINE', threshold: unlimited },
      { name: 'range', severity: 'QUARANTINE', threshold: unlimited },
      { name: 'unique', severity: 'WARN', threshold: { count: null, percent: 5, minRows: 0 } },
      { name: 'rowCount', severity: 'WARN', threshold: unlimited },
    ]);
    expect(changed.options.errorBudget).toEqual(unlimited);
  });
});
