import { describe, expect, it } from 'vitest';
import { createdTypeOf, engineTypeOf } from '../../../../src/engine/sinks/postgres-types.js';

const builtIn = { builtIn: true, isEnum: false, modifier: -1 };

describe('a type of the target', () => {
  it('that only the server can judge is not proven', () => {
    for (const name of ['json', 'jsonb', 'interval', 'numeric', '_int4', 'inet', 'xml']) {
      expect(engineTypeOf({ ...builtIn, name })).toMatchObject({ proven: false });
    }
    for (const name of ['int4', 'text', 'timestamptz', 'uuid', 'bytea']) {
      expect(engineTypeOf({ ...builtIn, name })).toMatchObject({ proven: true });
    }
  });

  it('of the same name in another schema is another type', () => {
    expect(engineTypeOf({ ...builtIn, builtIn: false, name: 'int4' })).toEqual({
      type: 'VARCHAR',
      maxLength: null,
      proven: false,
    });
    expect(engineTypeOf({ ...builtIn, builtIn: false, name: 'citext' })).toMatchObject({ proven: true });
  });

  it.each([
    [12, 2, 'DECIMAL(12,2)'],
    [38, 38, 'DECIMAL(38,38)'],
    [39, 0, 'NUMERIC_TEXT'],
    [2, -3, 'NUMERIC_TEXT'],
    [2, 5, 'NUMERIC_TEXT'],
    [1000, 500, 'NUMERIC_TEXT'],
  ])('numeric(%i,%i) is %s', (precision, scale, type) => {
    const modifier = ((precision << 16) | (scale & 0x7ff)) + 4;
    expect(engineTypeOf({ ...builtIn, name: 'numeric', modifier }).type).toBe(type);
  });
});

describe('a type of the output', () => {
  it.each([
    ['TINYINT', 'smallint'],
    ['UBIGINT', 'numeric(20,0)'],
    ['HUGEINT', 'numeric(39,0)'],
    ['DECIMAL(18,3)', 'numeric(18,3)'],
    ['TIMESTAMP WITH TIME ZONE', 'timestamptz'],
    ['TIMESTAMP_NS', 'timestamp'],
    ['INTEGER[]', 'jsonb'],
    ['VARCHAR[3]', 'jsonb'],
    ['STRUCT(a INTEGER)', 'jsonb'],
    ['MAP(VARCHAR, INTEGER)', 'jsonb'],
    [`ENUM('a]', 'STRUCT(')`, 'text'],
    ['"NULL"', 'text'],
    ['VARCHAR', 'text'],
    ['BIT', 'text'],
  ])('%s becomes %s', (engineType, nativeType) => {
    expect(createdTypeOf(engineType)).toBe(nativeType);
  });
});
