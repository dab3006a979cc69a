import { Gauge, type Registry } from 'prom-client';
import type { ServiceFigures } from './deps.js';

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** A figure that is not known has no sample. */
  samples(figures: ServiceFigures): readonly Sample[];
}

const LEVELS = ['NORMAL', 'BUSY', 'OVERLOADED', 'CRITICAL'] as const satisfies readonly ServiceFigures['level'][];

const one = (value: number | null): readonly Sample[] => (value === null ? [] : [{ labels: {}, value }]);
const bit = (is: boolean): number => (is ? 1 : 0);

type Metric = ServiceFigures['successMetrics'][number];
const metricLabel = ({ name }: Metric) => ({ metric: name.toLowerCase() });
/** Prometheus wants base units: ratios for percents, seconds for minutes. */
const PER_BASE_UNIT = { PERCENT: 100, RECORDS_PER_MINUTE: 60 } as const;
/** Without the last bits, in which 99.9 % would be more than 0.999. */
const inBaseUnit = (value: number, { unit }: Metric) => Number((value / PER_BASE_UNIT[unit]).toPrecision(12));
const ofUnit = ({ successMetrics }: ServiceFigures, unit: Metric['unit']) =>
  successMetrics.filter((metric) => metric.unit === unit);

const valuesOf = (metrics: readonly Metric[]): readonly Sample[] =>
  metrics.flatMap((metric) =>
    metric.value === null ? [] : [{ labels: metricLabel(metric), value: inBaseUnit(metric.value, metric) }],
  );
const objectivesOf = (metrics: readonly Metric[]): readonly Sample[] =>
  metrics.map((metric) => ({
    labels: { ...metricLabel(metric), relation: metric.objective.relation.toLowerCase() },
    value: inBaseUnit(metric.objective.bound, metric),
  }));

const FAMILIES: readonly Family[] = [
  {
    name: 'sluice_success_metric_ratio',
    help: 'Success metrics that are shares, over the last hour; absent when there is nothing to make one of',
    labels: ['metric'],
    samples: (figures) => valuesOf(ofUnit(figures, 'PERCENT')),
  },
  {
    name: 'sluice_success_objective_ratio',
    help: 'What those should be: above or below this, and not equal to it',
    labels: ['metric', 'relation'],
    samples: (figures) => objectivesOf(ofUnit(figures, 'PERCENT')),
  },
  {
    name: 'sluice_success_metric_records_per_second',
    help: 'Success metrics that are rates, over the time with work in the last hour; absent when there was none',
    labels: ['metric'],
    samples: (figures) => valuesOf(ofUnit(figures, 'RECORDS_PER_MINUTE')),
  },
  {
    name: 'sluice_success_objective_records_per_second',
    help: 'What those should be: above or below this, and not equal to it',
    labels: ['metric', 'relation'],
    samples: (figures) => objectivesOf(ofUnit(figures, 'RECORDS_PER_MINUTE')),
  },
  {
    name: 'sluice_success_metric_breached',
    help: '1 while a success metric misses its objective; absent while there are too few samples to tell',
    labels: ['metric'],
    samples: ({ successMetrics }) =>
      successMetrics.flatMap((metric) =>
        metric.breached === null ? [] : [{ labels: metricLabel(metric), value: bit(metric.breached) }],
      ),
  },
  {
    name: 'sluice_success_metric_samples',
    help: 'What a success metric is made of: jobs, attempts, rows, and for the throughput seconds with work',
    labels: ['metric'],
    samples: ({ successMetrics }) =>
      successMetrics.map((metric) => ({ labels: metricLabel(metric), value: metric.samples })),
  },
  {
    name: 'sluice_worker_slots',
    help: 'Jobs that the workers which were seen lately can have in hand at once',
    labels: [],
    samples: ({ slots }) => one(slots),
  },
  {
    name: 'sluice_worker_busy_slots',
    help: 'Slots that are busy',
    labels: [],
    samples: ({ busySlots }) => one(busySlots),
  },
  {
    name: 'sluice_worker_utilisation_ratio',
    help: 'Share of the slots that are busy; absent without any worker',
    labels: [],
    samples: ({ utilisation }) => one(utilisation === null ? null : utilisation / 100),
  },
  {
    name: 'sluice_worker_utilisation_level',
    help: '1 for the level of the utilisation, 0 for the others: BUSY is above 70 %, OVERLOADED 85 %, CRITICAL 95 %',
    labels: ['level'],
    samples: ({ level }) => LEVELS.map((each) => ({ labels: { level: each }, value: bit(each === level) })),
  },
  {
    name: 'sluice_jobs_queued',
    help: 'Jobs that wait for a worker',
    labels: [],
    samples: ({ queued }) => one(queued),
  },
  {
    name: 'sluice_backlog_age_seconds',
    help: 'How long the job has waited for a worker that has waited longest; 0 when none does',
    labels: [],
    samples: ({ oldestQueuedMs }) => one((oldestQueuedMs ?? 0) / 1_000),
  },
  {
    name: 'sluice_jobs_stalled',
    help: 'Running jobs that do not move, or that no worker holds',
    labels: [],
    samples: ({ stalled }) => one(stalled),
  },
  {
    name: 'sluice_dead_letters',
    help: 'Jobs in the dead-letter list',
    labels: [],
    samples: ({ deadLetters }) => one(deadLetters),
  },
  {
    name: 'sluice_dead_letters_recent',
    help: 'Those of them that died within the last 10 minutes',
    labels: [],
    samples: ({ diedLately }) => one(diedLately),
  },
  {
    name: 'sluice_escalations_open',
    help: 'Escalations that are not resolved, by failure class and status',
    labels: ['class', 'status'],
    samples: ({ openEscalations }) => openEscalations.map(({ count, ...labels }) => ({ labels, value: count })),
  },
  {
    name: 'sluice_notifications_undelivered',
    help: 'Notifications that no agent has yet: PENDING ones are still tried, DEAD ones wait for redelivery',
    labels: ['state'],
    samples: ({ undeliveredNotifications }) =>
      undeliveredNotifications.map(({ count, ...labels }) => ({ labels, value: count })),
  },
  {
    name: 'sluice_staging_bytes',
    help: 'Bytes of evaluated parts that wait to be loaded, and of what evaluations write now',
    labels: [],
    samples: ({ disk }) => one(disk?.stagingBytes ?? null),
  },
  {
    name: 'sluice_uploads_bytes',
    help: 'Bytes of the uploads, with those that are on their way',
    labels: [],
    samples: ({ disk }) => one(disk?.uploadsBytes ?? null),
  },
];

function register(
  registry: Registry,
  { name, help, labels }: Omit<Family, 'samples'>,
  samples: () => Promise<readonly Sample[]>,
): void {
  new Gauge({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    async collect(this: Gauge) {
      const now = await samples();
      this.reset();
      // Without labels, a reset leaves a 0 behind.
      if (labels.length === 0) this.remove();
      for (const { labels: of, value } of now) this.set(of, value);
    },
  });
}

/**
 * The figures of the service in a registry.
 * @param figures asked for by every scrape; null when the database does not tell: everything else is told all the same
 */
export function serviceMetrics(registry: Registry, figures: () => Promise<ServiceFigures | null>): void {
  for (const family of FAMILIES) {
    register(registry, family, async () => {
      const known = await figures();
      return known === null ? [] : family.samples(known);
    });
  }
  const up = {
    name: 'sluice_database_up',
    help: '1 when the figures of the service could be read from the database; they are those of the whole service, the same from every gateway',
    labels: [],
  };
  register(registry, up, async () => one(bit((await figures()) !== null)));
}
