import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

function toBigInt(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value === 'string' && /^-?\d{1,19}$/.test(value)) return BigInt(value);
  throw new GraphQLError('Long takes a whole number of 64 bits, as a number or as a string of digits.');
}

/** A number when a double holds it exactly, else the bigint itself. */
function narrowed(value: unknown): number | bigint {
  const whole = toBigInt(value);
  if (whole > MAX || whole < MIN) throw new GraphQLError('Long holds 64 bits; the number is larger.');
  const double = Number(whole);
  return Number.isSafeInteger(double) ? double : whole;
}

export const LongScalar = new GraphQLScalarType<number | bigint, number | string>({
  name: 'Long',
  description:
    'A whole number of 64 bits, exact: a JSON number up to 2^53 - 1 either way, a string of digits beyond. Both are accepted as input.',
  serialize(value) {
    const whole = narrowed(value);
    return typeof whole === 'bigint' ? whole.toString() : whole;
  },
  parseValue: narrowed,
  parseLiteral(node) {
    if (node.kind === Kind.INT || node.kind === Kind.STRING) return narrowed(node.value);
    throw new GraphQLError('Long takes a whole number.', { nodes: node });
  },
});
