import { describe, expect, it } from 'vitest';
import { parsePipeline } from '../../../src/engine/parse-pipeline.js';
import { targetOf } from '../../../src/jobs/target.js';

const source = { records: { rows: [{ id: 1 }] } };

describe('the name of a target', () => {
  it.each([
    [{ postgres: { table: 'orders' } }, 'default.public.orders'],
    [{ postgres: { connection: 'warehouse', schema: 'Sales', table: 'a.b' } }, 'warehouse.Sales.a.b'],
    [{ csv: { uri: 'file:out/a.csv' } }, 'file:out/a.csv'],
    [{ ndjson: { uri: 'file:out/a.ndjson' } }, 'file:out/a.ndjson'],
    [{ parquet: { uri: 'file:out/a.parquet' } }, 'file:out/a.parquet'],
    [{ http: { connection: 'crm', path: 'v1/orders' } }, 'http:crm/v1/orders'],
    [{ http: { connection: 'crm' } }, 'http:crm/'],
  ])('of %j is %s', (sink, expected) => expect(targetOf(parsePipeline({ source, sink }).json)).toBe(expected));

  it.each([undefined, null, {}, { sink: {} }, { sink: { memory: {} } }])('of %j is none', (spec) =>
    expect(targetOf(spec)).toBeNull(),
  );
});
