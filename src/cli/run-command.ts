import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import type { ApiClient } from './api-client.js';
import { ClientFailure, EXIT, type ExitCode, usageFailure } from './client-failure.js';
import { followJob, type Session } from './follow-job.js';
import type { ClientOptions } from './open-session.js';
import { LAUNCH } from './operations.js';
import { readSpecFile, type Spec } from './spec-file.js';

interface RunOptions extends ClientOptions {
  readonly idempotencyKey?: string;
  readonly detach?: boolean;
  readonly upload?: string;
  readonly cancelOnInterrupt?: boolean;
  readonly wait?: boolean;
}

/** Runs a command inside a session and turns its answer into the exit code. */
export type InSession = (options: ClientOptions, work: (session: Session) => Promise<ExitCode>) => Promise<void>;

export function registerRun(program: Command, inSession: InSession): Command {
  return program
    .command('run')
    .argument('<spec>', 'job spec in YAML or JSON: name, source, steps, expectations, sink, options')
    .description('launch an ETL job and watch it to its end')
    .option('--idempotency-key <key>', 'launch at most once under this key; wins over the one of the spec')
    .option('--detach', 'leave as soon as the job is launched')
    .option('--upload <file>', 'upload this file first and read it as the source of the spec')
    .option('--cancel-on-interrupt', 'Ctrl-C cancels the job instead of leaving it running')
    .option('--wait', 'stay while a decision about the job is awaited, instead of ending with 4')
    .action((path: string, options: RunOptions) => inSession(options, (session) => run(session, path, options)));
}

async function run(session: Session, path: string, options: RunOptions): Promise<ExitCode> {
  const spec = await readSpecFile(path);
  const uri = options.upload === undefined ? undefined : await upload(session.api, options.upload);
  const input = {
    ...(uri === undefined ? spec : withSource(spec, uri)),
    ...(options.idempotencyKey === undefined ? {} : { idempotencyKey: options.idempotencyKey }),
  };
  const { job, replayed, userErrors } = (await session.api.request(LAUNCH, { input })).launchEtlJob;
  const [first, ...rest] = userErrors.map(({ code, message, path: at }) => ({ code, message, path: at ?? undefined }));
  if (first !== undefined) throw new ClientFailure(EXIT.failed, [first, ...rest]);
  if (job === null)
    throw new ClientFailure(EXIT.failed, [{ code: 'INTERNAL', message: 'The gateway answered no job.' }]);
  session.reporter.launched(job, replayed);
  if (options.detach) return EXIT.ok;
  return followJob(session, {
    jobId: job.id,
    afterSeq: 0,
    cancelOnInterrupt: options.cancelOnInterrupt === true,
    waitForDecision: options.wait === true,
  });
}

/**
 * The name begins with the hash of what is inside: uploads of two people do not overwrite each other, and the same
 * file under the same idempotency key stays the same launch.
 */
async function upload(api: ApiClient, path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) throw usageFailure(`--upload ${path}: there is no such file.`);
  const hash = createHash('sha256');
  for await (const bytes of createReadStream(path)) hash.update(bytes);
  const name = basename(path)
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .slice(-150);
  return api.upload(path, `${hash.digest('hex').slice(0, 12)}-${name}`);
}

/** The spec with `uri` as what its source reads. */
function withSource(spec: Spec, uri: string): Spec {
  const [kind, ...others] = Object.entries(isMapping(spec.source) ? spec.source : {});
  if (kind === undefined || others.length > 0 || !(isMapping(kind[1]) || kind[1] === null)) {
    throw usageFailure('--upload needs a spec whose source has one member, e.g. `source: { csv: {} }`.');
  }
  return { ...spec, source: { [kind[0]]: { ...kind[1], uri } } };
}

const isMapping = (value: unknown): value is Spec =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
