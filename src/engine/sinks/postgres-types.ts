/** What the catalogue says of a column's type, domains resolved to what they are made of. */
export interface NativeType {
  /** `pg_type.typname` of the base type, e.g. `int4`. */
  readonly name: string;
  /** Whether the type lives in pg_catalog; elsewhere only enums and citext are known. */
  readonly builtIn: boolean;
  readonly isEnum: boolean;
  /** `atttypmod`; -1 for none. */
  readonly modifier: number;
}

export interface EngineType {
  /** The DuckDB type to cast to; NUMERIC_TEXT is text that has been checked to be a number. */
  readonly type: string;
  readonly maxLength: number | null;
  /** False when a value of that DuckDB type can still be refused by the server (JSON with \u0000, huge numbers). */
  readonly proven: boolean;
}

const PLAIN: Readonly<Record<string, string>> = {
  int2: 'SMALLINT',
  int4: 'INTEGER',
  int8: 'BIGINT',
  text: 'VARCHAR',
  bool: 'BOOLEAN',
  date: 'DATE',
  time: 'TIME',
  timestamp: 'TIMESTAMP',
  timestamptz: 'TIMESTAMPTZ',
  float4: 'FLOAT',
  float8: 'DOUBLE',
  uuid: 'UUID',
  bytea: 'BLOB',
};

// The server judges these once more, by rules that DuckDB does not know.
const UNPROVEN: Readonly<Record<string, string>> = { json: 'JSON', jsonb: 'JSON', interval: 'INTERVAL' };

// varchar(n) and char(n) store n + 4; numeric(p,s) stores ((p << 16) | s) + 4 with 11 signed bits of scale.
const HEADER = 4;
// The longest name in bytes; the server cuts longer ones without a word.
const NAME_BYTES = 63;

/** The DuckDB type whose text form PostgreSQL takes for a column of this type. */
export function engineTypeOf({ name, builtIn, isEnum, modifier }: NativeType): EngineType {
  if (isEnum) return { type: 'VARCHAR', maxLength: null, proven: true };
  if (name === 'citext' && !builtIn) return { type: 'VARCHAR', maxLength: null, proven: true };
  if (!builtIn) return { type: 'VARCHAR', maxLength: null, proven: false };
  if (name === 'varchar' || name === 'bpchar') {
    return { type: 'VARCHAR', maxLength: modifier < HEADER ? null : modifier - HEADER, proven: true };
  }
  if (name === 'name') return { type: 'VARCHAR', maxLength: NAME_BYTES, proven: true };
  if (name === 'numeric') return numeric(modifier);
  const plain = PLAIN[name];
  if (plain) return { type: plain, maxLength: null, proven: true };
  return { type: UNPROVEN[name] ?? 'VARCHAR', maxLength: null, proven: false };
}

function numeric(modifier: number): EngineType {
  const precision = ((modifier - HEADER) >> 16) & 0xffff;
  const scale = (((modifier - HEADER) & 0x7ff) ^ 0x400) - 0x400;
  const fits = modifier >= HEADER && precision <= 38 && scale >= 0 && scale <= precision;
  return fits
    ? { type: `DECIMAL(${precision},${scale})`, maxLength: null, proven: true }
    : { type: 'NUMERIC_TEXT', maxLength: null, proven: false };
}

const CREATED: Readonly<Record<string, string>> = {
  BOOLEAN: 'boolean',
  TINYINT: 'smallint',
  SMALLINT: 'smallint',
  UTINYINT: 'smallint',
  INTEGER: 'integer',
  USMALLINT: 'integer',
  BIGINT: 'bigint',
  UINTEGER: 'bigint',
  UBIGINT: 'numeric(20,0)',
  HUGEINT: 'numeric(39,0)',
  UHUGEINT: 'numeric(39,0)',
  BIGNUM: 'numeric',
  NUMERIC_TEXT: 'numeric',
  FLOAT: 'real',
  DOUBLE: 'double precision',
  DATE: 'date',
  TIME: 'time',
  TIME_NS: 'time',
  'TIME WITH TIME ZONE': 'timetz',
  TIMESTAMP: 'timestamp',
  TIMESTAMP_S: 'timestamp',
  TIMESTAMP_MS: 'timestamp',
  TIMESTAMP_NS: 'timestamp',
  'TIMESTAMP WITH TIME ZONE': 'timestamptz',
  TIMESTAMPTZ: 'timestamptz',
  INTERVAL: 'interval',
  UUID: 'uuid',
  BLOB: 'bytea',
  JSON: 'jsonb',
};

/** The type of a column of a table that is created from DuckDB's output; what has no counterpart becomes text. */
export function createdTypeOf(engineType: string): string {
  const type = engineType.trim();
  const upper = type.toUpperCase();
  if (type.endsWith(']') || /^(STRUCT|MAP|UNION)\(/.test(upper)) return 'jsonb';
  const decimal = /^(?:DECIMAL|NUMERIC)\((\d+),\s*(\d+)\)$/.exec(upper);
  if (decimal) return `numeric(${decimal[1]},${decimal[2]})`;
  return CREATED[upper] ?? 'text';
}
