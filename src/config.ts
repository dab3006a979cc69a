import { availableParallelism } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { z } from 'zod';
import { SluiceError } from './core/errors.js';
import { httpConnections } from './core/http-connections.js';
import { jsonText } from './core/json-text.js';

export const ROLES = ['gateway', 'worker', 'scheduler', 'escalator'] as const;
export type Role = (typeof ROLES)[number];

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

const list = (separators: RegExp) => (text: string) =>
  text
    .split(separators)
    .map((item) => item.trim())
    .filter((item) => item !== '');

const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .refine((n) => n >= min && n <= max);

const urlOf = (...protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol));

const postgresUrl = urlOf('postgres:', 'postgresql:');

const isOrigin = (text: string) => URL.canParse(text) && new URL(text).origin === text;

const connections = jsonText.pipe(z.record(z.string().regex(/^[a-z][a-z0-9_-]*$/i), postgresUrl));

const hostsAndNetworks = z
  .string()
  .transform(list(/,/))
  .pipe(z.array(z.string().regex(/^[A-Za-z0-9._:-]+(\/\d{1,3})?$/)));

const pathSeparators = delimiter === ';' ? /[;,]/ : /[:,]/;

interface Variable {
  /** For the table of the README, which a test holds against this one. */
  readonly meaning: string;
  readonly default: string;
  /** What a good value looks like; the end of the sentence that refuses a bad one. */
  readonly expected: string;
  /** The value may hold a password or is one: it is never repeated in a message. */
  readonly secret?: true;
  readonly parse: z.ZodType<unknown, string>;
}

const variable = <Output>(entry: Omit<Variable, 'parse'> & { parse: z.ZodType<Output, string> }) => entry;

/** Every environment variable that Sluice reads. An empty value is the same as none. */
export const VARIABLES = {
  DATABASE_URL: variable({
    meaning: 'system Postgres (>= 14)',
    default: 'embedded Postgres in `$SLUICE_HOME/postgres`',
    expected: 'a URL such as postgresql://user:password@host:5432/database',
    secret: true,
    parse: postgresUrl,
  }),
  REDIS_URL: variable({
    meaning: 'run the queue and the live bus on Redis (>= 6.2, `noeviction`)',
    default: 'queue and bus on Postgres',
    expected: 'a URL such as redis://host:6379',
    secret: true,
    parse: urlOf('redis:', 'rediss:'),
  }),
  SLUICE_HOME: variable({
    meaning: 'data of the embedded default, staging, uploads',
    default: '`.sluice` in the working directory',
    expected: 'a folder',
    parse: z.string().transform((path) => resolve(path)),
  }),
  SLUICE_PORT: variable({
    meaning: 'port to listen on; 0 takes any free one',
    default: '4000',
    expected: 'a number from 0 to 65535',
    parse: whole(0, 65_535),
  }),
  SLUICE_HOST: variable({
    meaning: 'address to listen on; 0.0.0.0 opens it to the network',
    default: '127.0.0.1',
    expected: 'a host name or an IP address',
    parse: z.string().regex(/^[A-Za-z0-9._:-]+$/),
  }),
  SLUICE_ROLES: variable({
    meaning: 'which of gateway, worker, scheduler, escalator this process plays, separated by commas',
    default: 'all',
    expected: `a list of ${ROLES.join(', ')}`,
    parse: z
      .string()
      .transform(list(/,/))
      .pipe(z.array(z.enum(ROLES)).min(1))
      .transform((roles) => new Set<Role>(roles)),
  }),
  SLUICE_ADMIN_TOKEN: variable({
    meaning: 'bootstrap admin token',
    default: 'made on first start, kept in `$SLUICE_HOME/admin-token`',
    expected: 'at least 16 printable characters without spaces',
    secret: true,
    parse: z.string().regex(/^[\x21-\x7e]{16,}$/),
  }),
  SLUICE_DATA_DIRS: variable({
    meaning: 'directories that `file` sources and sinks may touch, separated by `:` or `,`',
    default: '`data`',
    expected: 'a list of folders',
    parse: z
      .string()
      .transform(list(pathSeparators))
      .pipe(z.array(z.string()).min(1))
      .transform((dirs) => dirs.map((dir) => resolve(dir))),
  }),
  SLUICE_CONNECTIONS: variable({
    meaning: 'JSON: named Postgres connections for sources and sinks; secrets never pass through GraphQL',
    default: '`{"default": DATABASE_URL}`',
    expected: 'a JSON object of names and URLs such as {"warehouse": "postgresql://user:password@host/database"}',
    secret: true,
    parse: connections,
  }),
  SLUICE_HTTP_CONNECTIONS: variable({
    meaning: 'JSON: named endpoints for HTTP sinks, each with a URL and the headers to send, such as `authorization`',
    default: 'none',
    expected:
      'a JSON object of names, URLs without a password and headers such as {"crm": {"url": "https://crm.example.org/api", "headers": {"authorization": "Bearer secret"}}}',
    secret: true,
    parse: jsonText.pipe(httpConnections),
  }),
  SLUICE_HTTP_ALLOW: variable({
    meaning: 'hosts and networks that HTTP sinks may reach although they are private, separated by commas',
    default: 'none: public addresses only',
    expected: 'a list such as crm.internal, 10.1.0.0/16',
    parse: hostsAndNetworks,
  }),
  SLUICE_ALLOWED_ORIGINS: variable({
    meaning: 'origins of web pages that may use the API, separated by commas',
    default: 'the same origin only',
    expected: 'a list of origins such as https://console.example.org, without a path',
    parse: z
      .string()
      .transform(list(/,/))
      .pipe(z.array(z.string().refine(isOrigin))),
  }),
  SLUICE_WORKER_CONCURRENCY: variable({
    meaning: 'chunks that a worker loads at once',
    default: '2',
    expected: 'a number from 1 to 64',
    parse: whole(1, 64),
  }),
  SLUICE_ENGINE_MEMORY_MB: variable({
    meaning: 'memory limit of one DuckDB session, in MiB',
    default: '256',
    expected: 'a number from 64 to 1048576',
    parse: whole(64, 1_048_576),
  }),
  SLUICE_ENGINE_THREADS: variable({
    meaning: 'threads of one DuckDB session',
    default: 'the number of cores',
    expected: 'a number from 1 to 256',
    parse: whole(1, 256),
  }),
  SLUICE_STOP_GRACE: variable({
    meaning: 'seconds that work in hand may take when a process is told to stop; it is gone 2.5 s later at the latest',
    default: '7',
    expected: 'a number from 0 to 3600',
    parse: whole(0, 3_600),
  }),
  SLUICE_UPLOADS_MAX_MB: variable({
    meaning: 'what all uploads together may take, in MiB; 0 for no limit',
    default: '0',
    expected: 'a number from 0 to 999999999',
    parse: whole(0, 999_999_999),
  }),
  SLUICE_UPLOADS_DAYS: variable({
    meaning: 'days for which an upload is kept, and longer while a job that has not ended reads it; 0 for ever',
    default: '30',
    expected: 'a number from 0 to 36500',
    parse: whole(0, 36_500),
  }),
  SLUICE_STAGING_MAX_MB: variable({
    meaning: 'evaluated parts, in MiB, with which no further evaluation is begun until some are loaded; 0 for no limit',
    default: '0',
    expected: 'a number from 0 to 999999999',
    parse: whole(0, 999_999_999),
  }),
  SLUICE_QUARANTINE_DAYS: variable({
    meaning: 'days after which quarantined rows of ended jobs are removed; 0 keeps them for ever',
    default: '30',
    expected: 'a number from 0 to 36500',
    parse: whole(0, 36_500),
  }),
  SLUICE_ORG_CHART: variable({
    meaning: 'JSON file with your own roster of agents, in the form of `escalation/esa-org-chart.json`',
    default: 'the 105 agents of the ESA organisation',
    expected: 'a file',
    parse: z.string().transform((path) => resolve(path)),
  }),
  SLUICE_WEBHOOK_ALLOW: variable({
    meaning: 'hosts and networks that webhooks may reach although they are private, separated by commas',
    default: 'none: public addresses only',
    expected: 'a list such as agents.internal, 10.1.0.0/16',
    parse: hostsAndNetworks,
  }),
  SLUICE_SMTP_URL: variable({
    meaning: 'SMTP server that sends emails to agents',
    default: 'none: nobody is asked by email',
    expected: 'a URL such as smtps://user:password@mail.example.org',
    secret: true,
    parse: urlOf('smtp:', 'smtps:'),
  }),
  SLUICE_SMTP_FROM: variable({
    meaning: 'sender of those emails',
    default: '`sluice@localhost`',
    expected: 'an email address',
    parse: z.string().regex(/^[^\s@]+@[^\s@]+$/),
  }),
  SLUICE_URL: variable({
    meaning: 'gateway that the command line talks to',
    default: '`http://127.0.0.1:$SLUICE_PORT`',
    expected: 'an address such as http://127.0.0.1:4000',
    parse: urlOf('http:', 'https:'),
  }),
  SLUICE_LOG_LEVEL: variable({
    meaning: `one of ${LOG_LEVELS.join(', ')}`,
    default: 'info',
    expected: `one of ${LOG_LEVELS.join(', ')}`,
    parse: z.string().pipe(z.enum(LOG_LEVELS)),
  }),
} as const;

const bytesOf = (mb: number | undefined): number | null => (mb ? mb * 1024 ** 2 : null);

type Name = keyof typeof VARIABLES;

function read<N extends Name>(env: NodeJS.ProcessEnv, name: N): z.output<(typeof VARIABLES)[N]['parse']> | undefined {
  const { expected, parse, secret }: Variable = VARIABLES[name];
  const given = env[name]?.trim();
  if (!given) return undefined;
  const result = parse.safeParse(given);
  // The entry's own schema made the value, so it has the type of that entry; indexing by N loses this.
  if (result.success) return result.data as z.output<(typeof VARIABLES)[N]['parse']>;
  const what = secret ? 'has a value that cannot be used' : `is ${JSON.stringify(given.slice(0, 100))}`;
  throw new SluiceError('CONFIG_INVALID', `${name} ${what}: expected ${expected}.`);
}

/**
 * The settings of this process, from its environment: the only place that reads it.
 *
 * @throws SluiceError CONFIG_INVALID naming the variable, what was given (unless secret) and what is expected
 */
export function loadConfig(env: NodeJS.ProcessEnv = process.env) {
  return {
    databaseUrl: read(env, 'DATABASE_URL'),
    redisUrl: read(env, 'REDIS_URL'),
    home: read(env, 'SLUICE_HOME') ?? resolve('.sluice'),
    port: read(env, 'SLUICE_PORT') ?? 4000,
    host: read(env, 'SLUICE_HOST') ?? '127.0.0.1',
    roles: read(env, 'SLUICE_ROLES') ?? new Set<Role>(ROLES),
    adminToken: read(env, 'SLUICE_ADMIN_TOKEN'),
    dataDirs: read(env, 'SLUICE_DATA_DIRS') ?? [resolve('data')],
    /** As given; the connection `default` is added when the database is known. */
    connections: read(env, 'SLUICE_CONNECTIONS') ?? {},
    httpConnections: read(env, 'SLUICE_HTTP_CONNECTIONS') ?? {},
    httpAllow: read(env, 'SLUICE_HTTP_ALLOW') ?? [],
    allowedOrigins: read(env, 'SLUICE_ALLOWED_ORIGINS') ?? [],
    workerConcurrency: read(env, 'SLUICE_WORKER_CONCURRENCY') ?? 2,
    engineMemoryMb: read(env, 'SLUICE_ENGINE_MEMORY_MB') ?? 256,
    engineThreads: read(env, 'SLUICE_ENGINE_THREADS') ?? availableParallelism(),
    stopGraceMs: (read(env, 'SLUICE_STOP_GRACE') ?? 7) * 1_000,
    /** Null for no limit. */
    uploadsMaxBytes: bytesOf(read(env, 'SLUICE_UPLOADS_MAX_MB')),
    uploadsDays: read(env, 'SLUICE_UPLOADS_DAYS') ?? 30,
    /** Null for no limit. */
    stagingMaxBytes: bytesOf(read(env, 'SLUICE_STAGING_MAX_MB')),
    quarantineDays: read(env, 'SLUICE_QUARANTINE_DAYS') ?? 30,
    orgChart: read(env, 'SLUICE_ORG_CHART'),
    webhookAllow: read(env, 'SLUICE_WEBHOOK_ALLOW') ?? [],
    smtpUrl: read(env, 'SLUICE_SMTP_URL'),
    smtpFrom: read(env, 'SLUICE_SMTP_FROM') ?? 'sluice@localhost',
    logLevel: read(env, 'SLUICE_LOG_LEVEL') ?? 'info',
  };
}

export type Config = Readonly<ReturnType<typeof loadConfig>>;

/**
 * The settings of `sluice run` and `sluice watch`, which talk to a gateway like any client.
 *
 * @throws SluiceError CONFIG_INVALID as loadConfig does, for the variables that a client reads
 */
export function loadClientConfig(env: NodeJS.ProcessEnv = process.env) {
  return {
    url: read(env, 'SLUICE_URL') ?? `http://127.0.0.1:${read(env, 'SLUICE_PORT') ?? 4000}`,
    token: read(env, 'SLUICE_ADMIN_TOKEN'),
    /** Where a gateway on this machine keeps the token that it made itself. */
    tokenFile: join(read(env, 'SLUICE_HOME') ?? resolve('.sluice'), 'admin-token'),
  };
}
