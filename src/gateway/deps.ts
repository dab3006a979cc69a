import type {
  DeadLetterService,
  EscalationService,
  JobService,
  JobSteering,
  JobWatcher,
  QuarantineService,
  QueueService,
  SuccessMetricsService,
} from '../../schema/context.js';
import type { Clock } from '../core/clock.js';
import type { Log } from '../core/log.js';

/** The settings that the gateway needs; the process's configuration has them. */
export interface GatewayConfig {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Origins of web pages, besides the gateway's own, that may open a WebSocket. */
  readonly allowedOrigins: readonly string[];
}

/** Whether what the system stands on answers now. */
export interface Health {
  readonly database: boolean;
  readonly queue: boolean;
  readonly bus: boolean;
}

/** Figures of the event hub for /metrics, by name. */
export type WatcherStats = Readonly<Record<'subscribers' | 'channels' | 'conflated' | 'lagged' | 'healed', number>>;

/** Figures of the whole service for /metrics, over all tenants and the last hour: the same from every gateway. */
export interface ServiceFigures {
  readonly successMetrics: readonly {
    readonly name: string;
    /** Null when there is nothing to make it of. */
    readonly value: number | null;
    readonly unit: 'PERCENT' | 'RECORDS_PER_MINUTE';
    readonly objective: { readonly relation: 'ABOVE' | 'BELOW'; readonly bound: number };
    /** Null when it cannot be told. */
    readonly breached: boolean | null;
    readonly samples: number;
  }[];
  readonly slots: number;
  readonly busySlots: number;
  /** Percent; null without any worker. */
  readonly utilisation: number | null;
  readonly level: 'NORMAL' | 'BUSY' | 'OVERLOADED' | 'CRITICAL' | null;
  readonly queued: number;
  /** Null when no job waits. */
  readonly oldestQueuedMs: number | null;
  readonly stalled: number;
  readonly deadLetters: number;
  /** Those of them that died within the last 10 minutes. */
  readonly diedLately: number;
  readonly openEscalations: readonly { readonly class: string; readonly status: string; readonly count: number }[];
  readonly undeliveredNotifications: readonly { readonly state: string; readonly count: number }[];
  /** Bytes on the disks that the processes share; missing where they are not looked at. */
  readonly disk?: { readonly stagingBytes: number; readonly uploadsBytes: number };
}

/** Bounds on what one client may take. Each has a default; tests set them low. */
export interface GatewayLimits {
  readonly uploadBytes: number;
  /** Of all uploads together; null for no limit. */
  readonly allUploadsBytes: number | null;
  readonly graphqlBodyBytes: number;
  readonly sockets: number;
  readonly subscriptionsPerSocket: number;
  /** How long a socket may stay silent before `connection_init`. */
  readonly connectionInitMs: number;
  readonly pingMs: number;
}

export const DEFAULT_LIMITS: GatewayLimits = {
  uploadBytes: 20 * 1024 ** 3,
  allUploadsBytes: null,
  graphqlBodyBytes: 4 * 1024 ** 2,
  sockets: 5_000,
  subscriptionsPerSocket: 50,
  connectionInitMs: 5_000,
  pingMs: 12_000,
};

export interface GatewayDeps {
  readonly config: GatewayConfig;
  readonly log: Log;
  readonly clock: Clock;
  readonly jobs: JobService;
  readonly steering: JobSteering;
  readonly quarantine: QuarantineService;
  readonly queues: QueueService;
  readonly deadLetters: DeadLetterService;
  readonly watcher: JobWatcher & { stats?(): WatcherStats; flush?(withinMs: number): Promise<void> };
  readonly escalations: EscalationService;
  /** Without it, `successMetrics` answers UNAVAILABLE. */
  readonly successMetrics?: SuccessMetricsService | undefined;
  readonly health: () => Promise<Health>;
  /** Without it, /metrics tells of this process alone. */
  readonly figures?: (() => Promise<ServiceFigures>) | undefined;
  /** Whether what a service threw passes by itself, such as a lost connection: callers are told to try again. */
  readonly isPassing?: (thrown: unknown) => boolean;
  readonly adminToken: string;
  /** Where uploads are kept; made when it is missing. */
  readonly uploadsDir: string;
  readonly limits?: Partial<GatewayLimits>;
}
