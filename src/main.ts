#!/usr/bin/env node
import { Command } from 'commander';
import { registerClientCommands } from './cli/commands.js';
import { loadClientConfig } from './config.js';
import { registerServerCommands } from './server-commands.js';

const program = new Command('sluice')
  .description('A GraphQL gateway for data processing.')
  .showHelpAfterError('(see sluice --help)')
  // Usage mistakes; everything else that fails exits with 1.
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
registerServerCommands(program);
registerClientCommands(program, loadClientConfig);
await program.parseAsync();
