import { SluiceError } from '../../core/errors.js';
import type { Caller } from '../job-service.js';
import type { SuccessMetricsReader } from './ports.js';
import { type SuccessMetric, successMetricsOf } from './success-metrics.js';

export const DEFAULT_WINDOW_MS = 60 * 60_000;
const SHORTEST_MS = 60_000;
const LONGEST_MS = 7 * 24 * 60 * 60_000;

export interface SuccessMetricsService {
  /**
   * The figures of the caller's tenant.
   * @throws SluiceError INVALID_INPUT when the window is not 1 minute to 7 days
   */
  read(caller: Caller, windowMs: number): Promise<readonly SuccessMetric[]>;
}

export function createSuccessMetricsService(reader: SuccessMetricsReader): SuccessMetricsService {
  return {
    async read({ tenant }, windowMs) {
      if (!(windowMs >= SHORTEST_MS && windowMs <= LONGEST_MS))
        throw new SluiceError('INVALID_INPUT', '`window` must be 1 minute to 7 days.', { path: ['window'] });
      return successMetricsOf(await reader.counts(tenant, windowMs), windowMs);
    },
  };
}
