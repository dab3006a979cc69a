import { Field, InputType, Int } from 'type-graphql';
import { describedEnum } from './described-enum.js';

const WriteMode = describedEnum('WriteMode', 'How rows come into a table.', {
  APPEND: 'Added to what is there.',
  UPSERT: 'Added, or written over the row with the same `key`; the last row of the source wins.',
  REPLACE: 'Instead of everything that is there, in one swap at the end.',
});

const FileCompression = describedEnum('FileCompression', 'Whether a text file that is written is compressed.', {
  AUTO: 'By the end of the file name: `.gz` is gzip, `.zst` is Zstandard.',
  NONE: 'Not compressed.',
  GZIP: 'Compressed with gzip.',
  ZSTD: 'Compressed with Zstandard.',
});

const ParquetCompression = describedEnum('ParquetCompression', 'Codec of a Parquet file.', {
  ZSTD: 'Small and fast; the default.',
  SNAPPY: 'Read by the oldest readers.',
  GZIP: 'Smaller than SNAPPY, slow.',
  NONE: 'Not compressed.',
});

const HttpMethod = describedEnum('HttpMethod', 'Method of a request that carries rows.', {
  POST: 'The usual one; the default.',
  PUT: 'For an endpoint that wants it.',
});

const HttpFormat = describedEnum('HttpFormat', 'How the rows of a request are written.', {
  JSON: 'An array of objects.',
  NDJSON: 'One object a line.',
});

const URI = 'The file to write: `file:out/orders.csv` below `SLUICE_DATA_DIRS`. It appears whole or not at all.';

@InputType('PostgresSinkInput', { description: 'A PostgreSQL table.' })
class PostgresSinkInput {
  @Field(() => String, {
    nullable: true,
    description: 'Name of a connection in `SLUICE_CONNECTIONS`. Default `default`.',
  })
  connection?: string | null;

  @Field(() => String, { description: 'The table.' })
  table!: string;

  @Field(() => String, { nullable: true, description: 'The schema of the table. Default `public`.' })
  schema?: string | null;

  @Field(() => WriteMode, { nullable: true, description: 'How rows come into the table. Default APPEND.' })
  mode?: keyof typeof WriteMode | null;

  @Field(() => [String], {
    nullable: true,
    description: 'Columns of the key, for UPSERT. Default: the primary key of the table.',
  })
  key?: string[] | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether to create the table when it is missing. Default false.',
  })
  createTable?: boolean | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether rows are loaded aside and come in at the end, all at once, so that a cancelled job leaves none behind. Default false: only where the table could refuse a row.',
  })
  staged?: boolean | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Column of type uuid or text that says for every row which job wrote it last, so that its rows can be removed with it (`cancelJob` with `rollback`). A table that is created gets it; the output may not have it. Default: none.',
  })
  loadIdColumn?: string | null;
}

@InputType('CsvSinkInput', { description: 'A CSV file.' })
class CsvSinkInput {
  @Field(() => String, { description: URI })
  uri!: string;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether the first record holds the column names. Default true.',
  })
  header?: boolean | null;

  @Field(() => String, { nullable: true, description: 'One character between fields. Default `,`.' })
  delimiter?: string | null;

  @Field(() => String, { nullable: true, description: 'One character around fields that need it. Default `"`.' })
  quote?: string | null;

  @Field(() => String, { nullable: true, description: 'One character before a quote inside a field. Default `"`.' })
  escape?: string | null;

  @Field(() => String, { nullable: true, description: 'What stands for NULL. Default: nothing.' })
  nullString?: string | null;

  @Field(() => FileCompression, { nullable: true, description: 'Compression of the file. Default AUTO.' })
  compression?: keyof typeof FileCompression | null;
}

@InputType('NdjsonSinkInput', { description: 'A file with one JSON object a line.' })
class NdjsonSinkInput {
  @Field(() => String, { description: URI })
  uri!: string;

  @Field(() => FileCompression, { nullable: true, description: 'Compression of the file. Default AUTO.' })
  compression?: keyof typeof FileCompression | null;
}

@InputType('ParquetSinkInput', { description: 'An Apache Parquet file.' })
class ParquetSinkInput {
  @Field(() => String, { description: URI })
  uri!: string;

  @Field(() => ParquetCompression, { nullable: true, description: 'Codec of the file. Default ZSTD.' })
  compression?: keyof typeof ParquetCompression | null;
}

@InputType('HttpSinkInput', {
  description: 'An HTTP endpoint. Batches are sent at least once, with the same `Idempotency-Key` every time.',
})
class HttpSinkInput {
  @Field(() => String, { description: 'Name of a connection in `SLUICE_HTTP_CONNECTIONS`.' })
  connection!: string;

  @Field(() => String, { nullable: true, description: 'Path below the URL of the connection. Default: that URL.' })
  path?: string | null;

  @Field(() => HttpMethod, { nullable: true, description: 'Method of the requests. Default POST.' })
  method?: keyof typeof HttpMethod | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Rows of a request, 1 to 10000; fewer when they take more than 4 MiB. Default 500.',
  })
  batchRows?: number | null;

  @Field(() => HttpFormat, { nullable: true, description: 'How the rows are written. Default JSON.' })
  format?: keyof typeof HttpFormat | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Requests of a part at once, 1 to 16; with 1 its batches arrive in order. Default 1.',
  })
  concurrency?: number | null;
}

@InputType('SinkInput', { description: 'Where rows go. Exactly one member is set.' })
export class SinkInput {
  @Field(() => PostgresSinkInput, { nullable: true, description: 'A PostgreSQL table.' })
  postgres?: PostgresSinkInput | null;

  @Field(() => CsvSinkInput, { nullable: true, description: 'A CSV file.' })
  csv?: CsvSinkInput | null;

  @Field(() => NdjsonSinkInput, { nullable: true, description: 'A file with one JSON object a line.' })
  ndjson?: NdjsonSinkInput | null;

  @Field(() => ParquetSinkInput, { nullable: true, description: 'An Apache Parquet file.' })
  parquet?: ParquetSinkInput | null;

  @Field(() => HttpSinkInput, { nullable: true, description: 'An HTTP endpoint.' })
  http?: HttpSinkInput | null;
}
