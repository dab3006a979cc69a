import { basename } from 'node:path';

/** The job that every loader of the benchmark does: casts, one derived column, four expectations. */
export const ordersJob = (path: string, table: string, options: object = {}) => ({
  name: `bench ${table}`,
  source: { csv: { uri: `file:${basename(path)}`, header: true } },
  steps: [
    {
      cast: {
        columns: [
          { name: 'id', type: 'BIGINT' },
          { name: 'created_at', type: 'TIMESTAMP' },
          { name: 'quantity', type: 'INTEGER' },
          { name: 'unit_price', type: 'DECIMAL', precision: 12, scale: 2 },
        ],
      },
    },
    { normalize: { columns: ['customer_email'], operations: ['TRIM', 'LOWER'] } },
    { derive: { column: 'total', expression: 'quantity * unit_price' } },
  ],
  expectations: [
    { range: { column: 'quantity', min: 1, max: 100 }, severity: 'QUARANTINE' },
    { regex: { column: 'customer_email', pattern: '^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$' }, severity: 'QUARANTINE' },
    { length: { column: 'country', min: 2, max: 2 }, severity: 'QUARANTINE' },
    {
      inSet: { column: 'status', values: ['NEW', 'PAID', 'SHIPPED', 'DELIVERED', 'RETURNED'] },
      severity: 'QUARANTINE',
    },
  ],
  sink: { postgres: { table, mode: 'APPEND' } },
  options,
});

/** Ten records inside the request. */
export const inlineJob = (table: string) => ({
  name: 'bench inline',
  source: {
    records: {
      rows: Array.from({ length: 10 }, (_, i) => ({ id: i + 1, sku: `sku-${i}`, quantity: 1 + i, price: 9.5 })),
    },
  },
  steps: [{ derive: { column: 'total', expression: 'quantity * price' } }],
  expectations: [{ range: { column: 'quantity', min: 1, max: 100 }, severity: 'QUARANTINE' }],
  sink: { postgres: { table, mode: 'APPEND', createTable: true } },
});
