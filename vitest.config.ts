import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const require = createRequire(import.meta.url);

export default defineConfig({
  // graphql ships an ES and a CommonJS build. Vite would load the one and the packages in node_modules the other,
  // and graphql refuses schemas "from another module or realm": everybody gets the one that require finds.
  resolve: { alias: [{ find: /^graphql$/, replacement: require.resolve('graphql') }] },
  // Decorators of the GraphQL types: esbuild reads them from tsconfig.json and emits no metadata, as tsc does here.
  test: {
    pool: 'forks',
    maxWorkers: Math.max(2, Math.min(availableParallelism(), 4)),
    testTimeout: 20_000,
    hookTimeout: 30_000,
    teardownTimeout: 20_000,
    restoreMocks: true,
    unstubEnvs: true,
    projects: [
      // On its own, because it needs no server: `npm run check` runs it too.
      { extends: true, test: { name: 'architecture', include: ['test/architecture.test.ts'], testTimeout: 60_000 } },
      {
        extends: true,
        test: {
          name: 'sluice',
          include: ['test/{unit,conformance,integration,e2e}/**/*.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
        },
      },
    ],
  },
});
