import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.js';
import { SluiceError } from '../../src/core/errors.js';

function refusalFor(env: NodeJS.ProcessEnv): SluiceError {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof SluiceError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

test('an empty environment gives the defaults of the table', () => {
  expect(loadConfig({})).toEqual({
    databaseUrl: undefined,
    redisUrl: undefined,
    home: resolve('.sluice'),
    port: 4000,
    host: '127.0.0.1',
    roles: new Set(['gateway', 'worker', 'scheduler', 'escalator']),
    adminToken: undefined,
    dataDirs: [resolve('data')],
    connections: {},
    httpConnections: {},
    httpAllow: [],
    allowedOrigins: [],
    workerConcurrency: 2,
    engineMemoryMb: 256,
    engineThreads: availableParallelism(),
    stopGraceMs: 7_000,
    uploadsMaxBytes: null,
    uploadsDays: 30,
    stagingMaxBytes: null,
    quarantineDays: 30,
    orgChart: undefined,
    webhookAllow: [],
    smtpUrl: undefined,
    smtpFrom: 'sluice@localhost',
    logLevel: 'info',
  });
});

test('an empty value is no value', () => {
  expect(loadConfig({ DATABASE_URL: '', SLUICE_PORT: ' ', SLUICE_ROLES: '' })).toEqual(loadConfig({}));
});

test('every variable reaches its setting', () => {
  const config = loadConfig({
    DATABASE_URL: 'postgres://u:p@h/db',
    REDIS_URL: 'rediss://h:6380/1',
    SLUICE_HOME: 'here',
    SLUICE_PORT: '0',
    SLUICE_HOST: '::1',
    SLUICE_ROLES: 'worker, scheduler',
    SLUICE_ADMIN_TOKEN: 'a-token-of-16-chars',
    SLUICE_DATA_DIRS: '/a:b,c',
    SLUICE_CONNECTIONS: '{"warehouse":"postgresql://h/w"}',
    SLUICE_HTTP_CONNECTIONS:
      '{"crm":{"url":"https://h/api?k=1","headers":{"Authorization":"Bearer x"}},"erp":{"url":"http://h"}}',
    SLUICE_HTTP_ALLOW: 'crm.internal, 10.1.0.0/16',
    SLUICE_ALLOWED_ORIGINS: 'https://a.example, http://localhost:5173',
    SLUICE_WORKER_CONCURRENCY: '4',
    SLUICE_ENGINE_MEMORY_MB: '512',
    SLUICE_ENGINE_THREADS: '3',
    SLUICE_STOP_GRACE: '30',
    SLUICE_UPLOADS_MAX_MB: '10',
    SLUICE_UPLOADS_DAYS: '0',
    SLUICE_STAGING_MAX_MB: '20',
    SLUICE_QUARANTINE_DAYS: '0',
    SLUICE_ORG_CHART: 'chart.json',
    SLUICE_WEBHOOK_ALLOW: 'agents.internal, 10.1.0.0/16,::1',
    SLUICE_SMTP_URL: 'smtps://u:p@mail.example:465',
    SLUICE_SMTP_FROM: 'sluice@example.org',
    SLUICE_LOG_LEVEL: 'debug',
  });
  expect(config).toEqual({
    databaseUrl: 'postgres://u:p@h/db',
    redisUrl: 'rediss://h:6380/1',
    home: resolve('here'),
    port: 0,
    host: '::1',
    roles: new Set(['worker', 'scheduler']),
    adminToken: 'a-token-of-16-chars',
    dataDirs: ['/a', resolve('b'), resolve('c')],
    connections: { warehouse: 'postgresql://h/w' },
    httpConnections: {
      crm: { url: 'https://h/api?k=1', headers: { authorization: 'Bearer x' } },
      erp: { url: 'http://h', headers: {} },
    },
    httpAllow: ['crm.internal', '10.1.0.0/16'],
    allowedOrigins: ['https://a.example', 'http://localhost:5173'],
    workerConcurrency: 4,
    engineMemoryMb: 512,
    engineThreads: 3,
    stopGraceMs: 30_000,
    uploadsMaxBytes: 10_485_760,
    uploadsDays: 0,
    stagingMaxBytes: 20_971_520,
    quarantineDays: 0,
    orgChart: resolve('chart.json'),
    webhookAllow: ['agents.internal', '10.1.0.0/16', '::1'],
    smtpUrl: 'smtps://u:p@mail.example:465',
    smtpFrom: 'sluice@example.org',
    logLevel: 'debug',
  });
});

describe('a bad value is refused with the name of the variable, what was given and what is expected', () => {
  test.each([
    ['SLUICE_PORT', '70000'],
    ['SLUICE_PORT', '-1'],
    ['SLUICE_PORT', '4e3'],
    ['SLUICE_HOST', 'http://localhost'],
    ['SLUICE_ROLES', 'worker,chef'],
    ['SLUICE_ROLES', ','],
    ['SLUICE_DATA_DIRS', ':'],
    ['SLUICE_ALLOWED_ORIGINS', 'https://a.example/path'],
    ['SLUICE_WORKER_CONCURRENCY', '0'],
    ['SLUICE_ENGINE_MEMORY_MB', 'lots'],
    ['SLUICE_ENGINE_THREADS', '1.5'],
    ['SLUICE_WEBHOOK_ALLOW', 'http://agents.internal'],
    ['SLUICE_HTTP_ALLOW', 'http://crm.internal'],
    ['SLUICE_SMTP_FROM', 'nobody'],
    ['SLUICE_LOG_LEVEL', 'loud'],
  ])('%s=%s', (name, value) => {
    const refusal = refusalFor({ [name]: value });
    expect(refusal.code).toBe('CONFIG_INVALID');
    expect(refusal.message).toContain(`${name} is "${value}": expected `);
  });
});

describe('a bad value that may be a secret is not repeated', () => {
  test.each([
    ['DATABASE_URL', 'mysql://root:hunter2@h/db'],
    ['REDIS_URL', 'hunter2'],
    ['SLUICE_SMTP_URL', 'http://u:hunter2@h'],
    ['SLUICE_ADMIN_TOKEN', 'hunter2'],
    ['SLUICE_CONNECTIONS', '{"a":"postgresql://u:hunter2@h/db",}'],
    ['SLUICE_CONNECTIONS', '{"a":"mysql://u:hunter2@h/db"}'],
    ['SLUICE_HTTP_CONNECTIONS', '{"a":{"url":"https://u:hunter2@h/"}}'],
    ['SLUICE_HTTP_CONNECTIONS', '{"a":{"url":"ftp://hunter2/"}}'],
    ['SLUICE_HTTP_CONNECTIONS', '{"a":{"url":"https://h/","headers":{"x":"hunter2\\r\\ny: z"}}}'],
    ['SLUICE_HTTP_CONNECTIONS', '{"a":{"url":"https://h/","headers":{"Host":"hunter2"}}}'],
    ['SLUICE_HTTP_CONNECTIONS', '{"a":{"url":"https://h/","token":"hunter2"}}'],
    ['SLUICE_CONNECTIONS', '{"a b":"postgresql://u:hunter2@h/db"}'],
    ['SLUICE_CONNECTIONS', '["hunter2"]'],
  ])('%s=%s', (name, value) => {
    const refusal = refusalFor({ [name]: value });
    expect(refusal.code).toBe('CONFIG_INVALID');
    expect(refusal.message).toMatch(new RegExp(`^${name} has a value that cannot be used: expected `));
    expect(refusal.message).not.toContain('hunter2');
  });
});
