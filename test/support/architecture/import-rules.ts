import { cruise, type IFlattenedRuleSet, type IForbiddenRuleType } from 'dependency-cruiser';
import { MAY_IMPORT, VENDOR_HOMES } from './import-table.js';

/** A tree to plant that breaks a rule: paths and sources. */
export type Breach = Readonly<Record<string, string>>;

export interface Violation {
  readonly rule: string;
  readonly message: string;
}

interface ImportRule {
  readonly rule: IForbiddenRuleType;
  /** Trees that break it, and how often in each (a circle counts once): the proof that the rule bites. */
  readonly breaches: readonly { readonly tree: Breach; readonly count: number }[];
}

const escaped = (path: string) => path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Matches a folder's content, or a file. */
const within = (path: string) => `^${escaped(path)}${path.endsWith('.ts') ? '$' : '/'}`;

const fileIn = (path: string, name: string) => (path.endsWith('.ts') ? path : `${path}/${name}.ts`);

function upFrom(path: string, to: string): string {
  return `${'../'.repeat(path.split('/').length - 1)}${to.replace(/\.ts$/, '.js')}`;
}

/** Trees in which `part` imports each of the others: once values, once types only. */
function importing(part: string, others: readonly string[]): ImportRule['breaches'] {
  const source = fileIn(part, 'importer');
  const targets = others.map((other) => fileIn(other, 'imported'));
  const values = targets.map(
    (t, i) => `import { x as x${i} } from './${upFrom(source, t)}';\nexport const y${i} = x${i};\n`,
  );
  const types = targets.map(
    (t, i) => `import type { X as X${i} } from './${upFrom(source, t)}';\nexport type Y${i} = X${i};\n`,
  );
  const targetTree = Object.fromEntries(targets.map((t) => [t, 'export const x = 1;\nexport type X = 1;\n']));
  return [values, types].map((lines) => ({ tree: { ...targetTree, [source]: lines.join('') }, count: targets.length }));
}

function folderRule([part, allowed]: readonly [string, readonly string[]]): ImportRule {
  const others = [...Object.keys(MAY_IMPORT), 'test', 'scripts'].filter((p) => p !== part && !allowed.includes(p));
  return {
    rule: {
      name: `imports of ${part}`,
      severity: 'error',
      comment: `${part} may import ${['itself', ...allowed].join(', ')} only`,
      from: { path: within(part) },
      to: { path: '^(src|schema|escalation|test|scripts)/', pathNot: [within(part), ...allowed.map(within)] },
    },
    breaches: importing(part, others),
  };
}

// A package is node_modules/NAME/... when it is found, and its bare name when not, as in a planted tree.
const ofPackage = (name: string) => `((^|/)node_modules/(@types/)?${escaped(name)}/|^${escaped(name)}(/|$))`;

function vendorRule([name, homes]: readonly [string, readonly string[]]): ImportRule {
  const strangers = Object.keys(MAY_IMPORT).filter(
    (part) => !homes.some((home) => part === home || part.startsWith(`${home}/`) || home.startsWith(`${part}/`)),
  );
  const importer = `import { x } from '${name}';\nexport const y = x;\n`;
  return {
    rule: {
      name: `home of ${name}`,
      severity: 'error',
      comment: `${name} may be imported in ${homes.join(', ')} only`,
      from: { path: '^(src|schema|escalation)/', pathNot: homes.map(within) },
      to: { path: ofPackage(name) },
    },
    // A package that is welcome in every part is refused nowhere, and there is nothing to prove.
    breaches:
      strangers.length === 0
        ? []
        : [
            {
              tree: Object.fromEntries(strangers.map((part) => [fileIn(part, 'importer'), importer])),
              count: strangers.length,
            },
          ],
  };
}

const GENERAL: readonly ImportRule[] = [
  {
    rule: {
      name: 'package without a home',
      severity: 'error',
      comment: 'a package that is not in the table of vendor homes may be imported nowhere',
      from: { path: '^(src|schema|escalation)/' },
      to: {
        // A file of ours that is missing keeps its relative path; the compiler reports it.
        pathNot: ['^(src|schema|escalation|test|scripts)/', '^\\.{1,2}/', ...Object.keys(VENDOR_HOMES).map(ofPackage)],
        dependencyTypesNot: ['core', 'local', 'type-import'],
      },
    },
    breaches: [{ tree: { 'src/jobs/importer.ts': `import { x } from 'left-pad';\nexport const y = x;\n` }, count: 1 }],
  },
  {
    rule: {
      name: 'no circles',
      severity: 'error',
      comment: 'a circle has no order in which it can be read, tested or loaded',
      from: {},
      to: { circular: true },
    },
    breaches: [
      {
        tree: {
          'src/core/a.ts': `import { b } from './b.js';\nexport const a = () => b;\n`,
          'src/core/b.ts': `import { a } from './a.js';\nexport const b = () => a;\n`,
        },
        count: 1,
      },
      {
        tree: {
          'src/core/a.ts': `import type { B } from './b.js';\nexport type A = B | 1;\n`,
          'src/core/b.ts': `import type { C } from './c.js';\nexport type B = C | 2;\n`,
          'src/core/c.ts': `import type { A } from './a.js';\nexport type C = A | 3;\n`,
        },
        count: 1,
      },
    ],
  },
  {
    rule: {
      name: 'timers of Node',
      severity: 'error',
      comment: 'timers come from src/core/clock.ts, so that tests can move time',
      from: { path: '^(src|schema|escalation)/', pathNot: '^src/core/clock\\.ts$' },
      to: { path: '^(node:)?timers(/promises)?$' },
    },
    breaches: [
      {
        tree: {
          'src/jobs/waits.ts': `import { setTimeout } from 'node:timers/promises';\nexport const wait = setTimeout;\n`,
        },
        count: 1,
      },
    ],
  },
];

const FOLDERS = Object.entries(MAY_IMPORT).map(folderRule);
const VENDORS = Object.entries(VENDOR_HOMES).map(vendorRule);

const IMPORT_RULES: readonly ImportRule[] = [...FOLDERS, ...VENDORS, ...GENERAL];

/** What has to be found in a planted tree: how often each rule is broken there. */
interface Planting {
  readonly title: string;
  readonly tree: Breach;
  readonly expected: Readonly<Record<string, number>>;
}

/** One tree with the n-th breach of every rule, because looking at a tree takes a quarter of a second. */
function together(title: string, rules: readonly ImportRule[], n: number): Planting {
  const chunks = new Map<string, Set<string>>();
  const expected: Record<string, number> = {};
  for (const { rule, breaches } of rules) {
    const breach = breaches[n];
    if (breach === undefined) continue;
    expected[rule.name ?? ''] = breach.count;
    for (const [path, source] of Object.entries(breach.tree)) {
      chunks.set(path, (chunks.get(path) ?? new Set()).add(source));
    }
  }
  const tree = Object.fromEntries([...chunks].map(([path, sources]) => [path, [...sources].join('')]));
  return { title, tree, expected };
}

export const PLANTINGS: readonly Planting[] = [
  together('values of every folder that may not be imported', FOLDERS, 0),
  together('types of every folder that may not be imported', FOLDERS, 1),
  together('packages outside of their homes', VENDORS, 0),
  ...GENERAL.flatMap((general) => general.breaches.map((_, n) => together(general.rule.name ?? '', [general], n))),
];

/** Every breach of the import rules below `root`, and how many modules were looked at. */
export async function findImportBreaches(root: string): Promise<{ violations: Violation[]; modules: number }> {
  const ruleSet: IFlattenedRuleSet = { forbidden: IMPORT_RULES.map(({ rule }) => rule) };
  const { output } = await cruise(['src', 'schema', 'escalation'], {
    baseDir: root,
    ruleSet,
    validate: true,
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^src/console/' },
    enhancedResolveOptions: { conditionNames: ['import', 'node', 'default', 'types'], exportsFields: ['exports'] },
  });
  // Without an outputType cruise answers the result itself; only reporters answer text.
  if (typeof output === 'string') throw new Error('dependency-cruiser answered a report instead of a result');
  const violations = output.summary.violations.map(({ rule, from, to }) => ({
    rule: rule.name,
    message: `${from} imports ${to}: ${IMPORT_RULES.find((r) => r.rule.name === rule.name)?.rule.comment}`,
  }));
  return { violations, modules: output.modules.filter(({ source }) => !source.includes('node_modules')).length };
}
