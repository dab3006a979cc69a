import { createEscalationService } from '../escalation/create-service.js';
import { startDeliverer } from '../escalation/deliverer.js';
import { startEscalationEngine } from '../escalation/engine.js';
import { createNotifiers } from '../escalation/notifiers/create-notifiers.js';
import type { OrgChart } from '../escalation/org-chart.js';
import type { JobActions } from '../escalation/ports.js';
import { roleLookup } from '../escalation/role-lookup.js';
import type { EscalationService } from '../escalation/service.js';
import type { Config } from './config.js';
import type { Clock } from './core/clock.js';
import type { Log } from './core/log.js';
import { createAddressRules } from './core/safe-address.js';
import type { EventBus } from './jobs/ports.js';
import type { Shutdown } from './shutdown.js';
import { createEscalationWake } from './store/escalation-wake.js';
import { openEscalationStores } from './store/open-escalation-stores.js';
import type { Pool } from './store/pool.js';

export interface EscalationParts {
  readonly config: Config;
  readonly pool: Pool;
  readonly bus: EventBus;
  readonly chart: OrgChart;
  readonly jobActions: JobActions;
  /** Name of this process in leases. */
  readonly worker: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** The escalations of the process: their service for a gateway, and what moves and delivers them for an escalator. */
export function openEscalations(parts: EscalationParts) {
  const { config, pool, bus, chart, jobActions, worker, clock, log } = parts;
  const stores = openEscalationStores(pool);
  const wake = createEscalationWake(bus);
  const rules = createAddressRules(config.webhookAllow);
  const context = { ...stores, jobActions, lookup: roleLookup(chart), wake, log, clock };

  return {
    service: (): EscalationService => createEscalationService({ ...context, chart, addressRules: rules }),
    /** A job is held: an escalator has something to take up. */
    onHeld: (tenant: string): Promise<void> => wake.tell('REPORT', tenant),

    /** Starts moving ladders and delivering, until the shutdown. */
    async start(shutdown: Shutdown): Promise<void> {
      const engine = await startEscalationEngine(context);
      shutdown.addWork('escalations', engine.stop);
      const { smtpUrl, smtpFrom } = config;
      const { policies, contacts, outbox } = stores;
      const channels = createNotifiers({ policies, contacts, apiUrl: null, rules, smtpUrl, smtpFrom, clock, log });
      shutdown.add('notifiers', channels.close);
      // In a burst everybody's turn is written down before the calls begin: that is quick, and they take their time.
      const deliverer = await startDeliverer({
        outbox,
        notifiers: channels.notifiers,
        isHeldBack: engine.isBehind,
        wake,
        clock,
        log,
        worker,
      });
      shutdown.addWork('deliveries', deliverer.stop);
    },
  };
}
