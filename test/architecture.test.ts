import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type Breach, findImportBreaches, PLANTINGS, type Violation } from './support/architecture/import-rules.js';
import { findSourceBreaches, SOURCE_RULES } from './support/architecture/source-rules.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Writes the tree into a folder of its own, and answers what `find` says about it. */
async function planted<T>(tree: Breach, find: (root: string) => Promise<T>): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-architecture-'));
  try {
    for (const folder of ['src', 'schema', 'escalation']) await mkdir(join(root, folder));
    for (const [path, source] of Object.entries(tree)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), source);
    }
    return await find(root);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

const rulesOf = (violations: readonly Violation[]) => new Set(violations.map(({ rule }) => rule));
const messagesOf = (violations: readonly Violation[]) => violations.map(({ message }) => message).sort();

describe('the project', () => {
  test('imports only what the table of folders and vendor homes allows', async () => {
    const { violations, modules } = await findImportBreaches(ROOT);
    expect(messagesOf(violations)).toEqual([]);
    // A tool that finds nothing to look at finds nothing wrong either.
    expect(modules).toBeGreaterThan(30);
  });

  test('keeps time, environment, printing, decorators, length, files and names where they belong', async () => {
    const { violations, files } = await findSourceBreaches(ROOT);
    expect(messagesOf(violations)).toEqual([]);
    expect(files).toBeGreaterThan(30);
  });
});

describe('a planted breach is found', () => {
  test.each(PLANTINGS.map((planting) => [planting.title, planting] as const))(
    '%s',
    async (_title, { tree, expected }) => {
      const { violations } = await planted(tree, findImportBreaches);
      const found: Record<string, number> = {};
      for (const { rule } of violations) if (rule in expected) found[rule] = (found[rule] ?? 0) + 1;
      expect(found).toEqual(expected);
      expect(Object.keys(expected).length).toBeGreaterThan(0);
    },
  );

  test.each(SOURCE_RULES.map((rule) => [rule.name, rule] as const))('%s', async (name, { breaches }) => {
    for (const breach of breaches) {
      const { violations } = await planted(breach, findSourceBreaches);
      expect(rulesOf(violations), JSON.stringify(breach)).toContain(name);
    }
  });
});

test('what is allowed is not taken for a breach', async () => {
  const tree: Breach = {
    'src/core/clock.ts': 'export const now = () => new Date(Date.now());\nexport const wait = setTimeout;\n',
    'src/jobs/job.ts': `import { z } from 'zod';
      import { now } from '../core/clock.js';
      // process.env, console.log and new Date() in a comment, and in a string: 'Date.now()'.
      export const at = [now, new Date(0), 'process.env', z];
      export const socket = (s: { setTimeout(ms: number): void }) => s.setTimeout(1);\n`,
    'schema/job.types.ts': `import { Field } from 'type-graphql';\n@Field()\nexport class Job {}\n`,
  };
  const [imports, sources] = await planted(
    tree,
    async (root) => [await findImportBreaches(root), await findSourceBreaches(root)] as const,
  );
  expect(messagesOf(imports.violations)).toEqual([]);
  expect(messagesOf(sources.violations)).toEqual([]);
});
