import { expect, test } from 'vitest';
import { describeConnectors } from '../../../src/jobs/connectors.js';

test('every component is in the catalogue, with a type and a description for each option', () => {
  const connectors = describeConnectors();
  expect(new Set(connectors.map(({ kind }) => kind))).toEqual(new Set(['SOURCE', 'STEP', 'EXPECTATION', 'SINK']));
  for (const { name, summary, options, example } of connectors) {
    expect(summary, name).not.toBe('');
    expect(example, name).toEqual(expect.any(Object));
    for (const option of options) {
      expect(option.type, `${name}.${option.name}`).not.toBe('any');
      expect(option.description, `${name}.${option.name}`).toEqual(expect.any(String));
    }
  }
});

test('an option with a default is not required', () => {
  const csv = describeConnectors().find(({ name, kind }) => name === 'csv' && kind === 'SOURCE');
  expect(csv?.options.find(({ name }) => name === 'uri')).toMatchObject({ required: true, type: 'string' });
  expect(csv?.options.filter(({ required }) => required).map(({ name }) => name)).toEqual(['uri']);
});
