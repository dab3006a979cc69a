import { z } from 'zod';
import type { Component } from '../engine/component.js';
import { EXPECTATIONS, SINKS, SOURCES, STEPS } from '../engine/registry.js';

export type ComponentKindName = 'SOURCE' | 'STEP' | 'EXPECTATION' | 'SINK';

export interface ConnectorOption {
  readonly name: string;
  readonly description: string | null;
  /** For people, such as `string`, `array of string` or `APPEND | UPSERT`. */
  readonly type: string;
  readonly required: boolean;
  readonly default: unknown;
}

/** A component as the catalogue shows it. */
export interface Connector {
  readonly name: string;
  readonly kind: ComponentKindName;
  readonly summary: string;
  readonly options: readonly ConnectorOption[];
  readonly example: unknown;
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** The schema that a property holds; JSON schema also knows bare `true` and `false`. */
const asSchema = (schema: JsonSchema | boolean | undefined): JsonSchema => (typeof schema === 'object' ? schema : {});

function typeText(schema: JsonSchema): string {
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return [...new Set(choices.map((choice) => typeText(asSchema(choice))))].join(' | ');
  if (schema.enum) return schema.enum.join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === 'array') {
    const items = Array.isArray(schema.items) ? schema.items[0] : schema.items;
    return `array of ${typeText(asSchema(items))}`;
  }
  if (Array.isArray(schema.type)) return schema.type.join(' | ');
  if (schema.type !== 'object' || !schema.properties) return schema.type ?? 'any';
  const required = new Set(schema.required);
  const members = Object.keys(schema.properties).map((name) => (required.has(name) ? name : `${name}?`));
  return `{ ${members.join(', ')} }`;
}

function optionsOf(component: Component<unknown>): ConnectorOption[] {
  // What a caller writes, so that an option with a default is not required.
  const schema = z.toJSONSchema(component.options, { io: 'input', unrepresentable: 'any' });
  const required = new Set(schema.required);
  return Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const option = asSchema(property);
    return {
      name,
      description: option.description ?? null,
      type: typeText(option),
      required: required.has(name),
      default: option.default ?? null,
    };
  });
}

const describe = (kind: ComponentKindName, components: readonly Component<unknown>[]): Connector[] =>
  components.map((component) => ({
    name: component.name,
    kind,
    summary: component.summary,
    options: optionsOf(component),
    example: component.example,
  }));

/** Every component of the engine, for the `connectors` query and docs/connectors.md. */
export function describeConnectors(): readonly Connector[] {
  return [
    ...describe('SOURCE', SOURCES),
    ...describe('STEP', STEPS),
    ...describe('EXPECTATION', EXPECTATIONS),
    ...describe('SINK', SINKS),
  ];
}
