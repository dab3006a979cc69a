import { z } from 'zod';

/** The `uri` option that every file source has. */
export const FileUri = z
  .string()
  .min(1)
  .max(2_000)
  .describe('`file:` path below a data directory, or `upload:` name; `*`, `?` and `**` match several files.');

export const Compression = z
  .enum(['AUTO', 'NONE', 'GZIP'])
  .default('AUTO')
  .describe('AUTO takes files that end in `.gz` as gzip.');
