import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { Component } from '../../src/engine/component.js';
import { EXPECTATIONS, SINKS, SOURCES, STEPS } from '../../src/engine/registry.js';
import { componentConformance } from './component.js';

const LISTS: Readonly<Record<string, readonly Component<unknown>[]>> = {
  sources: SOURCES,
  transforms: STEPS,
  expectations: EXPECTATIONS,
  sinks: SINKS,
};

const isComponent = (value: unknown): value is Component<unknown> =>
  typeof value === 'object' && value !== null && 'kind' in value && 'parse' in value && 'example' in value;

describe('the lists of components', () => {
  it.each(Object.entries(LISTS))('hold every component that a file in src/engine/%s defines', async (folder, list) => {
    const directory = new URL(`../../src/engine/${folder}/`, import.meta.url);
    const names = (await readdir(directory)).filter((name) => name.endsWith('.ts'));
    const modules = await Promise.all(names.map((name) => import(new URL(name, directory).href)));
    const defined = modules.flatMap((module: Record<string, unknown>) => Object.values(module).filter(isComponent));
    expect(new Set(defined)).toEqual(new Set(list));
    expect(defined.length).toBeGreaterThan(0);
  });

  it.each(Object.entries(LISTS))('name each component of %s once', (_, list) => {
    expect(new Set(list.map(({ name }) => name)).size).toBe(list.length);
  });
});

for (const component of Object.values(LISTS).flat()) componentConformance(component);
