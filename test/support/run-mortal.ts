// Loaded before a worker: it dies as if the kernel had killed it when it opens a file whose path matches DEADLY_FILE, or
// renames one to such a path, as a job does that takes more memory than there is.
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const deadly = new RegExp(process.env.DEADLY_FILE ?? '$^');
const { open, rename } = promises;
promises.open = (path, ...rest) => {
  if (deadly.test(String(path))) process.kill(process.pid, 'SIGKILL');
  return open(path, ...rest);
};
promises.rename = (from, to) => {
  if (deadly.test(String(to))) process.kill(process.pid, 'SIGKILL');
  return rename(from, to);
};
syncBuiltinESMExports();
