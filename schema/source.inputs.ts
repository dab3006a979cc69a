import { Field, InputType } from 'type-graphql';
import { describedEnum } from './described-enum.js';
import { JsonScalar } from './scalars/json.js';

const TextEncoding = describedEnum('TextEncoding', 'How the bytes of a text file are read.', {
  UTF8: 'UTF-8; a byte order mark is dropped.',
  LATIN1: 'ISO 8859-1.',
});

const Compression = describedEnum('Compression', 'Whether a source file is compressed.', {
  AUTO: 'By the end of the file name: `.gz` is gzip.',
  NONE: 'Not compressed.',
  GZIP: 'Compressed with gzip, whatever the name.',
});

const URI =
  'Where the data lies: `file:orders/*.csv` below `SLUICE_DATA_DIRS`, or `upload:name`. Globs take several files.';

@InputType('CsvSourceInput', { description: 'Comma-separated values, or any other delimiter.' })
class CsvSourceInput {
  @Field(() => String, { description: URI })
  uri!: string;

  @Field(() => String, { nullable: true, description: 'One character between fields. Default `,`.' })
  delimiter?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The character around fields that hold delimiters. Default `"`.',
  })
  quote?: string | null;

  @Field(() => String, { nullable: true, description: 'The character before a quote inside quotes. Default `"`.' })
  escape?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether the first record holds the column names. Default true.',
  })
  header?: boolean | null;

  @Field(() => [String], { nullable: true, description: 'Texts that mean NULL. Default: the empty field.' })
  nullStrings?: string[] | null;

  @Field(() => TextEncoding, { nullable: true, description: 'Encoding of the file. Default UTF8.' })
  encoding?: keyof typeof TextEncoding | null;

  @Field(() => Compression, { nullable: true, description: 'Compression of the file. Default AUTO.' })
  compression?: keyof typeof Compression | null;

  @Field(() => [String], { nullable: true, description: 'Column names, in order, instead of those of a header.' })
  columns?: string[] | null;
}

@InputType('NdjsonSourceInput', { description: 'One JSON object a line.' })
class NdjsonSourceInput {
  @Field(() => String, { description: URI })
  uri!: string;

  @Field(() => Compression, { nullable: true, description: 'Compression of the file. Default AUTO.' })
  compression?: keyof typeof Compression | null;
}

@InputType('JsonSourceInput', { description: 'A file that holds one JSON array of objects.' })
class JsonSourceInput {
  @Field(() => String, { description: URI })
  uri!: string;

  @Field(() => Compression, { nullable: true, description: 'Compression of the file. Default AUTO.' })
  compression?: keyof typeof Compression | null;
}

@InputType('ParquetSourceInput', { description: 'Apache Parquet files.' })
class ParquetSourceInput {
  @Field(() => String, { description: URI })
  uri!: string;
}

@InputType('RecordsSourceInput', { description: 'Records inside the request: `rows` or `ndjson`, at most 10,000.' })
export class RecordsSourceInput {
  @Field(() => [JsonScalar], {
    nullable: true,
    description: 'JSON objects, one a record; numbers of any size are kept exactly.',
  })
  rows?: unknown[] | null;

  @Field(() => String, { nullable: true, description: 'The same as text: one JSON object a line.' })
  ndjson?: string | null;
}

@InputType('SourceInput', { description: 'Where records come from. Exactly one member is set.' })
export class SourceInput {
  @Field(() => CsvSourceInput, { nullable: true, description: 'Comma-separated values, or any other delimiter.' })
  csv?: CsvSourceInput | null;

  @Field(() => NdjsonSourceInput, { nullable: true, description: 'One JSON object a line.' })
  ndjson?: NdjsonSourceInput | null;

  @Field(() => JsonSourceInput, { nullable: true, description: 'One JSON array of objects.' })
  json?: JsonSourceInput | null;

  @Field(() => ParquetSourceInput, { nullable: true, description: 'Apache Parquet files.' })
  parquet?: ParquetSourceInput | null;

  @Field(() => RecordsSourceInput, { nullable: true, description: 'Records inside the request.' })
  records?: RecordsSourceInput | null;
}
