import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';
import { LosslessNumber } from 'lossless-json';
import { exactNumber } from './exact-number.js';

function fromLiteral(node: ValueNode, variables: Readonly<Record<string, unknown>>): unknown {
  switch (node.kind) {
    case Kind.NULL:
      return null;
    case Kind.INT:
    case Kind.FLOAT:
      return exactNumber(node.value);
    case Kind.STRING:
    case Kind.BOOLEAN:
      return node.value;
    case Kind.LIST:
      return node.values.map((item) => fromLiteral(item, variables));
    case Kind.OBJECT:
      // fromEntries defines own properties, so that a field called __proto__ is only a field.
      return Object.fromEntries(node.fields.map((field) => [field.name.value, fromLiteral(field.value, variables)]));
    case Kind.VARIABLE:
      return variables[node.name.value] ?? null;
    case Kind.ENUM:
      throw new GraphQLError(`JSON has no bare words: write "${node.value}" in quotes.`, { nodes: node });
  }
}

/** JSON that the response's JSON.stringify can write; a number that a double cannot hold becomes a string. */
function toResponse(value: unknown): unknown {
  if (typeof value === 'bigint') return exactNumberText(value);
  if (value instanceof LosslessNumber) return value.value;
  if (Array.isArray(value)) return value.map(toResponse);
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toResponse(item)]));
  return value;
}

const exactNumberText = (value: bigint): number | string => {
  const double = Number(value);
  return Number.isSafeInteger(double) ? double : value.toString();
};

export const JsonScalar = new GraphQLScalarType({
  name: 'JSON',
  description:
    'Any JSON value. Numbers are taken exactly, whatever their size; in an answer an integer beyond 2^53 is a string.',
  serialize: toResponse,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => fromLiteral(node, variables ?? {}),
});
