import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { UserErrors } from '../../src/core/errors.js';
import type { Component } from '../../src/engine/component.js';
import { parsePipeline } from '../../src/engine/parse-pipeline.js';

type Json = Readonly<Record<string, unknown>>;

const SPEC_MEMBER = { source: 'source', step: 'steps', expectation: 'expectations', sink: 'sink' } as const;

/** A whole pipeline around one component, with these options. */
export function specWith(component: Component<unknown>, options: unknown): Json {
  const member = { [component.name]: options };
  const list = component.kind === 'step' || component.kind === 'expectation';
  return {
    source: { records: { ndjson: '{"id":1}' } },
    sink: { ndjson: { uri: 'file:out.ndjson' } },
    [SPEC_MEMBER[component.kind]]: list ? [member] : member,
  };
}

/** The path of a component's options inside `specWith`. */
export const pathOf = ({ kind, name }: Component<unknown>): readonly (string | number)[] =>
  kind === 'step' || kind === 'expectation' ? [SPEC_MEMBER[kind], 0, name] : [SPEC_MEMBER[kind], name];

function errorsOf(spec: unknown): UserErrors['errors'] {
  try {
    parsePipeline(spec);
  } catch (error) {
    if (error instanceof UserErrors) return error.errors;
    throw error;
  }
  throw new Error('The spec was accepted.');
}

/** Names of options without a description, nested ones included. */
function undescribed(schema: unknown, at = ''): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { properties, items, anyOf, oneOf } = schema as Record<string, unknown>;
  const own = Object.entries((properties ?? {}) as Record<string, Json>).flatMap(([name, property]) => [
    ...(typeof property.description === 'string' && property.description.length > 3 ? [] : [`${at}${name}`]),
    ...undescribed(property, `${at}${name}.`),
  ]);
  const nested = [items, ...((anyOf ?? oneOf ?? []) as unknown[])].flatMap((inner) => undescribed(inner, at));
  return [...own, ...nested];
}

/** What every component says of itself and how it takes its options. */
export function componentConformance(component: Component<unknown>): void {
  const example = component.example;
  const schema = z.toJSONSchema(component.options, { io: 'input', unrepresentable: 'any' });

  describe(`${component.kind} ${component.name}`, () => {
    it('has a name that is a GraphQL member and a summary that is a sentence', () => {
      expect(component.name).toMatch(/^[a-z][A-Za-z0-9]*$/);
      expect(component.summary).toMatch(/^[A-Z`].*\.$/s);
    });

    it('describes every option', () => {
      expect(Object.keys(schema.properties ?? {}).length).toBeGreaterThan(0);
      expect(undescribed(schema)).toEqual([]);
    });

    it('parses its example, and what it stores parses to the same again', () => {
      const { json } = parsePipeline(specWith(component, example));
      expect(parsePipeline(json).json).toEqual(json);
      expect(parsePipeline(JSON.parse(JSON.stringify(json))).json).toEqual(json);
    });

    it('refuses an unknown option with its path', () => {
      const errors = errorsOf(specWith(component, { ...example, noSuchOption: 1 }));
      expect(errors).toMatchObject([
        { code: 'INVALID_INPUT', path: pathOf(component), message: expect.stringContaining('noSuchOption') },
      ]);
    });

    it('takes null options as absent', () => {
      const absent = Object.keys(schema.properties ?? {}).filter((name) => !(name in example));
      const withNulls = { ...example, ...Object.fromEntries(absent.map((name) => [name, null])) };
      expect(parsePipeline(specWith(component, withNulls)).json).toEqual(
        parsePipeline(specWith(component, example)).json,
      );
    });

    it.each([[null], ['text'], [7], [[]], [{}]])('refuses %j as its options, with a path', (options) => {
      // Some components need no option at all.
      if (options !== null && !Array.isArray(options) && typeof options === 'object' && !schema.required?.length) {
        try {
          parsePipeline(specWith(component, options));
          return;
        } catch (error) {
          expect(error).toBeInstanceOf(UserErrors);
        }
      }
      const [first] = errorsOf(specWith(component, options));
      expect(first.isUserError).toBe(true);
      expect(first.path?.[0]).toBe(pathOf(component)[0]);
    });
  });
}
