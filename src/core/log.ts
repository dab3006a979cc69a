import { pino } from 'pino';

/** What our code logs with: a message and structured facts; never secrets, never records. */
export interface Log {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
  child(facts: object): Log;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** JSON lines on stderr, so that stdout stays free for what a command answers. */
export function createLog(level: LogLevel): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: ['*.token', '*.password', '*.authorization', 'url'], censor: '[redacted]' },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}
