import { readdir, readFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import ts from 'typescript';
import type { Breach, Violation } from './import-rules.js';
import { MAY_IMPORT } from './import-table.js';

interface SourceRule {
  readonly name: string;
  readonly why: string;
  /** Files in which it does not hold. */
  readonly home?: RegExp;
  /** The first line that breaks it, from 1, or undefined. */
  find(file: ts.SourceFile, path: string): number | undefined;
  readonly breaches: readonly Breach[];
}

const MOST_LINES = 300;
const DRAWERS = new Set([
  'util',
  'utils',
  'helper',
  'helpers',
  'common',
  'lib',
  'libs',
  'types',
  'interfaces',
  'misc',
  'shared',
]);

function findNode(file: ts.SourceFile, matches: (node: ts.Node) => boolean): number | undefined {
  const visit = (node: ts.Node): ts.Node | undefined => (matches(node) ? node : ts.forEachChild(node, visit));
  const found = visit(file);
  return found && file.getLineAndCharacterOfPosition(found.getStart(file)).line + 1;
}

const isNamed = (node: ts.Node | undefined, name: string) =>
  node !== undefined && ts.isIdentifier(node) && node.text === name;

/** `object.member` or `object['member']`, also below globalThis. */
function isMember(node: ts.Node, object: string, member: string): boolean {
  const isObject = (n: ts.Expression) =>
    isNamed(n, object) ||
    (ts.isPropertyAccessExpression(n) && isNamed(n.expression, 'globalThis') && isNamed(n.name, object));
  if (ts.isPropertyAccessExpression(node)) return isObject(node.expression) && isNamed(node.name, member);
  if (!ts.isElementAccessExpression(node)) return false;
  return (
    isObject(node.expression) && ts.isStringLiteral(node.argumentExpression) && node.argumentExpression.text === member
  );
}

/** `const { member } = object` */
function isTakenFrom(node: ts.Node, object: string, member: string): boolean {
  if (!ts.isVariableDeclaration(node) || !isNamed(node.initializer, object) || !ts.isObjectBindingPattern(node.name))
    return false;
  return node.name.elements.some((element) => isNamed(element.propertyName ?? element.name, member));
}

/** A mention of the global itself: not a member of that name of something else, not a declaration of that name. */
function isGlobal(node: ts.Node, name: string): boolean {
  if (isMember(node, 'globalThis', name)) return true;
  if (!isNamed(node, name)) return false;
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node;
  return !ts.isMethodDeclaration(parent) && !ts.isPropertySignature(parent) && !ts.isMethodSignature(parent);
}

const importsFrom = (node: ts.Node, module: RegExp) =>
  ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier) && module.test(node.moduleSpecifier.text);

const isPlaced = (path: string) => Object.keys(MAY_IMPORT).some((part) => path === part || path.startsWith(`${part}/`));

export const SOURCE_RULES: readonly SourceRule[] = [
  {
    name: 'process.env',
    why: 'only src/config.ts reads the environment',
    home: /^src\/config\.ts$/,
    find: (file) =>
      findNode(
        file,
        (n) => isMember(n, 'process', 'env') || isTakenFrom(n, 'process', 'env') || importsFrom(n, /^(node:)?process$/),
      ),
    breaches: [
      { 'src/jobs/reads.ts': 'export const home = process.env.HOME;\n' },
      { 'schema/reads.ts': "export const home = process['env'];\n" },
      { 'escalation/reads.ts': 'const { env } = process;\nexport const home = env;\n' },
      { 'src/cli/reads.ts': "import { env } from 'node:process';\nexport const home = env;\n" },
      { 'src/core/reads.ts': 'export const home = globalThis.process.env;\n' },
    ],
  },
  {
    name: 'console',
    why: 'only src/core/log.ts and the command line print',
    home: /^src\/(core\/log\.ts$|cli\/)/,
    find: (file) => findNode(file, (n) => isGlobal(n, 'console') || importsFrom(n, /^(node:)?console$/)),
    breaches: [
      { 'src/jobs/prints.ts': "console.log('x');\n" },
      { 'src/main.ts': 'export const print = console.error;\n' },
      { 'escalation/prints.ts': "import c from 'node:console';\nc.log('x');\n" },
    ],
  },
  {
    name: 'time and timers',
    why: 'time comes from src/core/clock.ts, so that tests can move it',
    home: /^src\/core\/clock\.ts$/,
    find: (file) =>
      findNode(
        file,
        (n) =>
          (ts.isNewExpression(n) && isNamed(n.expression, 'Date') && !n.arguments?.length) ||
          (ts.isCallExpression(n) && isNamed(n.expression, 'Date')) ||
          isMember(n, 'Date', 'now') ||
          isTakenFrom(n, 'Date', 'now') ||
          isGlobal(n, 'setTimeout') ||
          isGlobal(n, 'setInterval'),
      ),
    breaches: [
      { 'src/jobs/reads.ts': 'export const at = new Date();\n' },
      { 'src/jobs/reads.ts': 'export const at = Date.now();\n' },
      { 'escalation/waits.ts': 'setTimeout(() => {}, 10);\n' },
      { 'schema/waits.ts': 'globalThis.setInterval(() => {}, 10);\n' },
      { 'src/gateway/waits.ts': 'export const wait = { after: setTimeout };\n' },
    ],
  },
  {
    name: 'decorators',
    why: 'GraphQL types stand in schema/ only',
    home: /^schema\//,
    find: (file) => findNode(file, ts.isDecorator),
    breaches: [{ 'src/jobs/job.ts': 'declare const Field: () => ClassDecorator;\n@Field()\nexport class Job {}\n' }],
  },
  {
    name: 'file length',
    why: `no file is longer than ${MOST_LINES} lines`,
    find: (file) => (file.text.trimEnd().split('\n').length > MOST_LINES ? MOST_LINES + 1 : undefined),
    breaches: [{ 'escalation/long.ts': 'export {};\n'.repeat(MOST_LINES + 1) }],
  },
  {
    name: 'place',
    why: 'a file belongs to a folder of the import table, else no rule holds for its imports',
    find: (_file, path) => (isPlaced(path) ? undefined : 1),
    breaches: [{ 'src/stray.ts': 'export {};\n' }, { 'src/annexe/stray.ts': 'export {};\n' }],
  },
  {
    name: 'drawers',
    why: 'a file or folder is named after the one thing it does, never after a drawer',
    find: (_file, path) => {
      const [name = '', ...folders] = path.split('/').reverse();
      return [name.replace(/\.tsx?$/, ''), ...folders].some((part) => DRAWERS.has(part.toLowerCase())) ? 1 : undefined;
    },
    breaches: [
      { 'src/jobs/utils.ts': 'export {};\n' },
      { 'schema/types.ts': 'export {};\n' },
      { 'src/engine/helpers/quote.ts': 'export {};\n' },
    ],
  },
];

async function sourceFiles(root: string): Promise<string[]> {
  const found: string[] = [];
  for (const folder of ['src', 'schema', 'escalation']) {
    const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = relative(root, join(entry.parentPath, entry.name));
      if (entry.isFile() && /\.tsx?$/.test(basename(path)) && !path.startsWith('src/console/')) found.push(path);
    }
  }
  return found;
}

/** Every breach of the source rules below `root`, and how many files were looked at. */
export async function findSourceBreaches(root: string): Promise<{ violations: Violation[]; files: number }> {
  const paths = await sourceFiles(root);
  const violations: Violation[] = [];
  for (const path of paths) {
    const file = ts.createSourceFile(path, await readFile(join(root, path), 'utf8'), ts.ScriptTarget.ES2023, true);
    for (const { name, why, home, find } of SOURCE_RULES) {
      if (home?.test(path)) continue;
      const line = find(file, path);
      if (line !== undefined) violations.push({ rule: name, message: `${path}:${line}: ${why}` });
    }
  }
  return { violations, files: paths.length };
}
