import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';

// Years and months have no fixed length, so that only weeks, days and clock parts are taken.
const ISO = /^P(?=.)(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,3})?)S)?)?$/;
const UNITS_MS = [604_800_000, 86_400_000, 3_600_000, 60_000, 1_000] as const;

/** Milliseconds of an ISO 8601 duration. */
function parseDuration(value: unknown): number {
  const parts = typeof value === 'string' ? ISO.exec(value) : null;
  if (!parts)
    throw new GraphQLError('Duration takes ISO 8601 with weeks, days, hours, minutes and seconds, such as PT30M.');
  const ms = UNITS_MS.reduce((sum, unit, index) => sum + unit * Number(parts[index + 1] ?? 0), 0);
  if (!Number.isSafeInteger(Math.round(ms))) throw new GraphQLError('The duration is too long.');
  return Math.round(ms);
}

/** `90000` as `PT1M30S`. */
function formatDuration(value: unknown): string {
  if (typeof value !== 'number' || !(value >= 0)) throw new GraphQLError('A duration must be milliseconds.');
  const hours = Math.floor(value / 3_600_000);
  const minutes = Math.floor((value % 3_600_000) / 60_000);
  const seconds = (value % 60_000) / 1_000;
  const clock = `${hours ? `${hours}H` : ''}${minutes ? `${minutes}M` : ''}${seconds ? `${seconds}S` : ''}`;
  return `PT${clock || '0S'}`;
}

export const DurationScalar = new GraphQLScalarType<number, string>({
  name: 'Duration',
  description: 'A length of time in ISO 8601, to the millisecond, such as `PT30M`, `P1DT12H` or `PT0.5S`.',
  serialize: formatDuration,
  parseValue: parseDuration,
  parseLiteral(node) {
    if (node.kind === Kind.STRING) return parseDuration(node.value);
    throw new GraphQLError('Duration takes a string such as "PT30M".', { nodes: node });
  },
});
