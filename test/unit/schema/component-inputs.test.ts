import { type GraphQLInputObjectType, getNullableType, isEnumType, isInputObjectType } from 'graphql';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { buildSluiceSchema } from '../../../schema/build.js';
import type { Component } from '../../../src/engine/component.js';
import { EXPECTATIONS, SINKS, SOURCES, STEPS } from '../../../src/engine/registry.js';

const schema = buildSluiceSchema();

function inputNamed(name: string): GraphQLInputObjectType {
  const type = schema.getType(name);
  if (!isInputObjectType(type)) throw new Error(`${name} is no input`);
  return type;
}

/** The input type of a component: that of the member with its name. */
function inputOf(union: string, component: Component<unknown>): GraphQLInputObjectType | undefined {
  const field = inputNamed(union).getFields()[component.name];
  const type = field && getNullableType(field.type);
  return isInputObjectType(type) ? type : undefined;
}

const optionSchema = (component: Component<unknown>) =>
  z.toJSONSchema(component.options, { io: 'input', unrepresentable: 'any' });

/** Values of an option that takes one of a list, in JSON schema or behind `anyOf`. */
function choices(option: unknown): string[] | undefined {
  if (typeof option !== 'object' || option === null) return undefined;
  if ('enum' in option && Array.isArray(option.enum)) return option.enum.map(String).sort();
  if ('items' in option) return choices(option.items);
  return undefined;
}

const unions: [string, readonly Component<unknown>[], readonly string[]][] = [
  ['SourceInput', SOURCES, []],
  ['StepInput', STEPS, []],
  ['ExpectationInput', EXPECTATIONS, ['severity', 'threshold']],
  ['SinkInput', SINKS, []],
];

describe.each(unions)('%s', (union, components, others) => {
  test('has a member for every component, and no other', () => {
    expect(Object.keys(inputNamed(union).getFields()).sort()).toEqual(
      [...components.map(({ name }) => name), ...others].sort(),
    );
  });

  test.each(components.map((component) => [component.name, component] as const))(
    '%s takes the options that its component takes',
    (_name, component) => {
      const input = inputOf(union, component);
      const options = optionSchema(component);
      expect(Object.keys(input?.getFields() ?? {}).sort()).toEqual(Object.keys(options.properties ?? {}).sort());
    },
  );

  test.each(components.map((component) => [component.name, component] as const))(
    'every choice of %s is one of its enums',
    (_name, component) => {
      const { properties = {} } = optionSchema(component);
      for (const field of Object.values(inputOf(union, component)?.getFields() ?? {})) {
        let type = getNullableType(field.type);
        while ('ofType' in type) type = type.ofType;
        if (!isEnumType(type)) continue;
        const values = type.getValues().map(({ name }) => name);
        const wanted = choices(properties[field.name]);
        if (wanted) expect([...values].sort(), field.name).toEqual(wanted);
      }
    },
  );
});
