// npm run demo: installs what is missing, builds, then runs the demonstration against the built gateway.
import { bootstrap } from './bootstrap.mjs';
import { build } from './build.mjs';

bootstrap();
build();
await import('./demo/main.mjs');
