// npm start: the gateway with all its roles. Runs in this very process, so that signals reach it without a middleman.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bootstrap, ROOT } from './bootstrap.mjs';
import { build } from './build.mjs';

bootstrap();
build();
const main = join(ROOT, 'dist', 'src', 'main.js');
process.argv = [process.execPath, main, 'serve', ...process.argv.slice(2)];
await import(pathToFileURL(main).href);
