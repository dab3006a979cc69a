// npm ci refuses a lockfile that lacks an optional package of any platform, and npm leaves those out that the registry
// it talked to does not carry, or that were not installed when it ran (https://github.com/npm/cli/issues/4828).
// Without arguments this says what is missing; with --write it adds the entries, without the integrity hash.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './bootstrap.mjs';

const PATH = join(ROOT, 'package-lock.json');
const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const PROCESSORS = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

/** Whether `name` is found from the package at `path` as Node looks for it: in its own node_modules, then further out. */
function isLocked(packages, path, name) {
  for (let from = path; ; from = from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/')))) {
    if (packages[`${from === '' ? '' : `${from}/`}node_modules/${name}`]) return true;
    if (from === '') return false;
  }
}

/** Platform packages say in their name what they are for: `@biomejs/cli-linux-x64-musl`. */
function entryFor(name, range, isDev) {
  const words = name.split('/').at(-1).split('-');
  const system = SYSTEMS.find((word) => words.includes(word));
  const processor = PROCESSORS.find((word) => words.includes(word));
  const libc = words.some((word) => word.startsWith('musl')) ? 'musl' : words.includes('gnu') ? 'glibc' : undefined;
  return {
    version: range.replace(/^[~^]/, ''),
    ...(processor && { cpu: [processor] }),
    ...(isDev && { dev: true }),
    ...(libc && { libc: [libc] }),
    optional: true,
    ...(system && { os: [system] }),
  };
}

const lock = JSON.parse(readFileSync(PATH, 'utf8'));
const missing = {};
for (const [path, entry] of Object.entries(lock.packages)) {
  if (path === '') continue;
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    if (!isLocked(lock.packages, path, name)) missing[`node_modules/${name}`] = entryFor(name, range, entry.dev);
  }
}

if (Object.keys(missing).length > 0 && process.argv.includes('--write')) {
  const all = Object.entries({ ...lock.packages, ...missing }).sort(([a], [b]) => a.localeCompare(b, 'en'));
  writeFileSync(PATH, `${JSON.stringify({ ...lock, packages: Object.fromEntries(all) }, null, 2)}\n`);
} else if (Object.keys(missing).length > 0) {
  console.error(`package-lock.json lacks ${Object.keys(missing).join(', ')}, so npm ci will refuse it.`);
  console.error('Run node scripts/check-lockfile.mjs --write and commit the result.');
  process.exitCode = 1;
}
