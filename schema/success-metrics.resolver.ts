import { Arg, Ctx, Query, Resolver } from 'type-graphql';
import { SluiceError } from '../src/core/errors.js';
import type { SuccessMetric } from '../src/jobs/monitors/success-metrics.js';
import type { GraphqlContext } from './context.js';
import { DurationScalar } from './scalars/duration.js';
import { SuccessMetricType } from './success-metrics.types.js';

const AN_HOUR_MS = 3_600_000;

@Resolver()
export class SuccessMetricsResolver {
  @Query(() => [SuccessMetricType], {
    description: 'The five figures by which the service is judged, over the jobs of the tenant in a sliding window.',
  })
  successMetrics(
    @Ctx() { successMetrics, caller }: GraphqlContext,
    @Arg('window', () => DurationScalar, {
      defaultValue: AN_HOUR_MS,
      description: 'How far back from now, 1 minute to 7 days.',
    })
    windowMs: number,
  ): Promise<readonly SuccessMetric[]> {
    if (!successMetrics) throw new SluiceError('UNAVAILABLE', 'The success metrics are not measured here.');
    return successMetrics.read(caller, windowMs);
  }
}
