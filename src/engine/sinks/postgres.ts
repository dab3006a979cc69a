import { defineComponent } from '../component.js';
import { loadPart } from './postgres-load.js';
import { type PostgresOptions, postgresOptions, refuseReserved } from './postgres-options.js';
import { parsePrepared } from './postgres-plan.js';
import { inspectTarget, prepareTarget } from './postgres-prepare.js';
import { discardStaging, publishTarget } from './postgres-publish.js';
import { removeLoad } from './postgres-remove.js';
import type { SinkBinding } from './sink.js';

export const postgresSink = defineComponent<PostgresOptions, SinkBinding>({
  name: 'postgres',
  kind: 'sink',
  summary: 'A PostgreSQL table: rows are appended, upserted by a key, or replace the whole content at once.',
  options: postgresOptions,
  example: { table: 'orders', mode: 'UPSERT', key: ['id'], createTable: true },
  bind(options) {
    refuseReserved(options);
    return {
      connection: options.connection,
      loadIdColumn: options.loadIdColumn ?? null,
      staging: { kind: 'ROWS' },
      async inspect(client, output) {
        const { target, key } = await inspectTarget(client, options, output);
        const columns = target?.columns.map(({ name, type, nativeType, notNull, maxLength, labels }) => {
          return { name, type, nativeType, nullable: !notNull, maxLength, labels };
        });
        return { columns: columns ?? null, key };
      },
      prepare: (client, job, output) => prepareTarget(client, options, job.id, output),
      load: (tx, prepared, part) => loadPart(tx, parsePrepared(prepared), part),
      effectOf(prepared) {
        const { ending, mode } = parsePrepared(prepared);
        if (ending !== 'DIRECT') return 'STAGED';
        return mode === 'APPEND' ? 'PERMANENT' : 'REPEATABLE';
      },
      loadOf(prepared) {
        const { schema, table, mode, loadIdColumn } = parsePrepared(prepared);
        return loadIdColumn === null ? null : { schema, table, mode };
      },
      removeLoad: (tx, loadId) => removeLoad(tx, options, loadId),
      publish: (tx, prepared, loaded) => publishTarget(tx, parsePrepared(prepared), loaded),
      discard: (client, prepared) => discardStaging(client, parsePrepared(prepared)),
    };
  },
});
