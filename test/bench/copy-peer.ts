import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { Client } from 'pg';
import { from } from 'pg-copy-streams';
import { FILE_COLUMNS, inPublic } from './orders-table.js';

/** Loads a CSV file with PostgreSQL's own COPY: the ceiling that a loader can reach. */
export interface CopyPeer {
  readonly name: string;
  load(databaseUrl: string, table: string, path: string): Promise<void>;
}

export function copyPeer(): CopyPeer {
  const hasPsql = spawnSync('psql', ['--version'], { stdio: 'ignore' }).status === 0;
  return hasPsql ? psql : copyStreams;
}

const psql: CopyPeer = {
  name: 'psql \\copy',
  async load(databaseUrl, table, path) {
    const command = `\\copy ${inPublic(table)} (${FILE_COLUMNS}) from '${path.replaceAll("'", "''")}' with (format csv, header)`;
    const args = ['--no-psqlrc', '--quiet', '--set', 'ON_ERROR_STOP=1', '--command', command, databaseUrl];
    const child = spawn('psql', args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`psql ended with code ${code}.`);
  },
};

const copyStreams: CopyPeer = {
  name: 'COPY by pg-copy-streams (there is no psql here)',
  async load(databaseUrl, table, path) {
    const client = new Client({ connectionString: databaseUrl });
    await client.connect();
    try {
      const copy = client.query(from(`copy ${inPublic(table)} (${FILE_COLUMNS}) from stdin with (format csv, header)`));
      await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), copy);
    } finally {
      await client.end();
    }
  },
};
