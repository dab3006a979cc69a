import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Where the packages are found from. */
export const bundleFolder = (name: string): string =>
  join(ROOT, 'node_modules', '.cache', `sluice-${name}-${process.pid}`);

/**
 * Sluice as a few files of JavaScript, beside its packages: a process that runs it starts in half the time that it takes
 * to run the sources.
 * @param folder one of `bundleFolder`
 * @param others scripts of the tests that are to be loaded before it: name -> path below `test`
 * @returns the entry, to be given to node
 */
export async function bundleSluice(folder: string, others: Readonly<Record<string, string>> = {}): Promise<string> {
  const scripts = Object.entries(others).map(([name, path]) => [name, join(ROOT, 'test', path)] as const);
  await build({
    entryPoints: { main: join(ROOT, 'src', 'main.ts'), ...Object.fromEntries(scripts) },
    bundle: true,
    // What a command loads when it needs it stays apart.
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    logLevel: 'error',
  });
  // The code reads these beside itself.
  await cp(join(ROOT, 'src', 'store', 'migrations'), join(folder, 'migrations'), { recursive: true });
  await cp(join(ROOT, 'escalation', 'esa-org-chart.json'), join(folder, 'esa-org-chart.json'));
  return join(folder, 'main.mjs');
}
