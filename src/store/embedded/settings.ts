import { totalmem } from 'node:os';

const MIB = 1024 * 1024;

/** What makes bulk loads quick without risking a committed row; set anew at every start, so upgrades reach old data. */
function tuned(): Record<string, string> {
  const sharedMiB = Math.min(256, Math.max(64, Math.floor(totalmem() / MIB / 8)));
  return {
    shared_buffers: `${sharedMiB}MB`,
    // Fewer, longer checkpoints: a load of some GB is not written twice for want of WAL space.
    max_wal_size: '2GB',
    min_wal_size: '256MB',
    checkpoint_timeout: '15min',
    checkpoint_completion_target: '0.9',
    wal_compression: 'on',
    wal_buffers: '16MB',
    // No replica reads this WAL: COPY into a table made in the same transaction may skip it.
    wal_level: 'minimal',
    max_wal_senders: '0',
    maintenance_work_mem: '128MB',
    work_mem: '16MB',
    random_page_cost: '1.1',
    // Compiling costs more than the short statements of a queue take.
    jit: 'off',
  };
}

/** For tests alone: a power cut may cost the whole database. */
const RISKY: Record<string, string> = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' };

/** The arguments of `postgres` behind `-D`. */
export function serverArguments(port: number, durable: boolean): string[] {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    // The password guards TCP; a socket in the file system would be a second door to guard.
    unix_socket_directories: '',
    max_connections: '100',
    password_encryption: 'scram-sha-256',
    TimeZone: 'UTC',
    log_timezone: 'UTC',
    lc_messages: 'C',
    // Errors of statements reach whoever sent them; the log keeps what concerns the server, and so stays short.
    log_min_messages: 'log',
    log_checkpoints: 'off',
    // The role is called sluice: by the usual "$user" a table that names no schema would end up among our own.
    search_path: 'public',
    ...tuned(),
    ...(durable ? {} : RISKY),
  };
  return ['-p', String(port), ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}
