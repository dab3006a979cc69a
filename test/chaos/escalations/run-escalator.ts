// A process of its own that moves escalations and delivers notifications, as the escalator role does: what the chaos
// run kills. Bundled before it is started.
import { loadConfig } from '../../../src/config.js';
import { systemClock } from '../../../src/core/clock.js';
import { createLog } from '../../../src/core/log.js';
import { Shutdown } from '../../../src/shutdown.js';
import { openEscalationProcess } from './open-process.js';

const config = loadConfig();
const log = createLog(config.logLevel);
// Whoever started it is gone: nobody would end it any more.
process.once('disconnect', () => process.exit(0));
const parts = await openEscalationProcess(config, log);
await parts.escalations.start(new Shutdown(systemClock));
process.send?.('ready');
