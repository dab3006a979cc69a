// npm run build: compiles src, schema and escalation into dist/ and copies the files that the code reads beside itself.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bootstrap, ROOT, refuse } from './bootstrap.mjs';

const SOURCES = ['src', 'schema', 'escalation'];
const CONFIGURATION = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];
const ASSETS = ['.sql', '.json'];
const DIST = join(ROOT, 'dist');
const STAMP = join(DIST, '.stamp');

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Changes when any input of the build does: name, size or time of change. */
function fingerprint() {
  const hash = createHash('sha256').update(process.version);
  const inputs = [
    ...CONFIGURATION.map((name) => join(ROOT, name)),
    ...SOURCES.flatMap((f) => filesBelow(join(ROOT, f))),
  ];
  for (const path of inputs.sort()) {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${relative(ROOT, path)} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function copyAssets(target) {
  for (const folder of SOURCES) {
    for (const path of filesBelow(join(ROOT, folder))) {
      if (!ASSETS.some((extension) => path.endsWith(extension))) continue;
      const copy = join(target, relative(ROOT, path));
      mkdirSync(dirname(copy), { recursive: true });
      cpSync(path, copy);
    }
  }
}

/** Builds when something has changed. The new tree replaces the old one whole, so that no file of an old build stays. */
export function build() {
  const stamp = fingerprint();
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stamp) return;
  process.stderr.write('Compiling (a few seconds)...\n');
  const fresh = join(ROOT, 'node_modules', '.cache', `sluice-build-${process.pid}`);
  rmSync(fresh, { recursive: true, force: true });
  try {
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const args = [tsc, '-p', join(ROOT, 'tsconfig.build.json'), '--outDir', fresh];
    const done = spawnSync(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 2, 2] });
    if (done.status !== 0) refuse('The build failed: the compiler says above where.');
    copyAssets(fresh);
    writeFileSync(join(fresh, '.stamp'), stamp);
    rmSync(DIST, { recursive: true, force: true });
    renameSync(fresh, DIST);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  bootstrap();
  build();
}
