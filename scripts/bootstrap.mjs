// Makes a fresh clone usable with nothing but Node and npm: every command of package.json comes through here.
// No dependencies, because it runs before there are any.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Ends the command with one sentence on stderr. */
export function refuse(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

/** Whether `version` ("v20.19.1") is at least Node 20.19, the oldest that can `require` ES modules unflagged. */
export function nodeIsNewEnough(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return major > 20 || (major === 20 && minor >= 19);
}

/**
 * Why `npm ci` has to run, or undefined when node_modules is what package-lock.json says. npm writes the hidden
 * lockfile last, so an install that was interrupted is seen too. Optional packages of other platforms may be absent.
 */
export function reasonToInstall(root = ROOT) {
  const hidden = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(hidden)) return 'the dependencies are not installed yet';
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const present = JSON.parse(readFileSync(hidden, 'utf8')).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue;
    const found = present[path];
    if (found === undefined && (entry.optional || entry.devOptional || entry.peer)) continue;
    if (found?.version !== entry.version) return 'package-lock.json has changed';
  }
  return undefined;
}

/** Installs what is missing; cheap (some 10 ms) when nothing is. */
export function bootstrap() {
  if (!nodeIsNewEnough(process.version)) {
    refuse(`Sluice needs Node 20.19 or newer, and this is ${process.version}: install a newer Node and try again.`);
  }
  const reason = reasonToInstall();
  if (reason === undefined) return;
  process.stderr.write(`Installing with npm ci, because ${reason} (a minute or two)...\n`);
  // The compiler and the test runner are development dependencies: without this, NODE_ENV=production drops them.
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const byNpm = process.env.npm_execpath?.endsWith('.js') ? process.env.npm_execpath : undefined;
  const [command, ...rest] = byNpm ? [process.execPath, byNpm, ...args] : ['npm', ...args];
  // npm's own chatter goes to stderr: stdout belongs to the command that the user asked for.
  const done = spawnSync(command, rest, { cwd: ROOT, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
  if (done.error) refuse(`npm could not be started (${done.error.message}): install npm, which comes with Node.`);
  if (done.status !== 0)
    refuse('npm ci failed, as its output above says: mend that (often the network) and try again.');
}
