import { lexicographicSortSchema, printSchema } from 'graphql';
import { buildSluiceSchema } from '../schema/build.js';
import { writeOrCheck } from './generated-file.js';

const isFresh = await writeOrCheck(
  [
    {
      path: 'schema/schema.graphql',
      generate: async () => `${printSchema(lexicographicSortSchema(await buildSluiceSchema()))}\n`,
    },
  ],
  process.argv,
);
process.exit(isFresh ? 0 : 1);
