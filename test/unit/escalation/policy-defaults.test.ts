import { describe, expect, it } from 'vitest';
import { checkPolicy } from '../../../escalation/check-policy.js';
import { loadOrgChart } from '../../../escalation/org-chart.js';
import { parsePolicy } from '../../../escalation/parse-policy.js';
import { askedClass, DEFAULT_POLICIES, defaultPolicy } from '../../../escalation/policy-defaults.js';
import { FAILURE_CLASSES, type FailureClass } from '../../../src/core/failure-class.js';
import { MINUTE } from './a-policy.js';

const chart = await loadOrgChart();

describe('the default policies', () => {
  it.each<[FailureClass, string, readonly [string, number][]]>([
    [
      'PIPELINE_DECISION',
      'pipeline-decision',
      [
        ['CHIEF', 60],
        ['CEO', 120],
      ],
    ],
    [
      'QUEUE_PERFORMANCE',
      'queue-performance',
      [
        ['DOMAIN', 30],
        ['CHIEF', 60],
        ['CEO', 120],
      ],
    ],
    [
      'WORKFLOW_INTEGRATION',
      'workflow-integration',
      [
        ['PEER', 30],
        ['DOMAIN', 30],
        ['CHIEF', 60],
        ['CEO', 120],
      ],
    ],
    ['CRITICAL_FAILURE', 'critical-failure', [['CEO', 120]]],
    ['DATA_CORRUPTION', 'data-corruption', [['CEO', 120]]],
  ])('ask about %s whom the rule book names, for as long', (failureClass, id, ladder) => {
    const policy = defaultPolicy(failureClass);
    expect(policy).toMatchObject({ id, failureClass, version: 0, pipeline: null, endAction: 'HOLD' });
    expect(policy.steps.map(({ ask, waitMs }) => [ask, waitMs])).toEqual(
      ladder.map(([role, minutes]) => [[{ role }], minutes * MINUTE]),
    );
  });

  it('tell the chief when the CEO is asked at once, and ask again for a week', () => {
    for (const failureClass of ['CRITICAL_FAILURE', 'DATA_CORRUPTION'] as const) {
      const { steps, repeat } = defaultPolicy(failureClass);
      expect(steps[0]?.tell).toEqual([{ role: 'CHIEF' }]);
      expect((repeat + 1) * 2).toBe(7 * 24);
    }
  });

  it('let nobody skip or trust rows that may be corrupt, nor close it because a later run went well', () => {
    const { steps, autoResolve } = defaultPolicy('DATA_CORRUPTION');
    for (const verdict of ['SKIP_ROWS', 'QUARANTINE_AND_CONTINUE', 'RESUME'] as const) {
      expect(steps.flatMap(({ allowedVerdicts }) => allowedVerdicts)).not.toContain(verdict);
    }
    expect(autoResolve).toBe(false);
  });

  it('answer for every class, also for those in which nobody is asked by the rules', () => {
    expect(FAILURE_CLASSES.map((one) => [one, askedClass(one)]).filter(([one, asked]) => one !== asked)).toEqual([
      ['TRANSIENT', 'CRITICAL_FAILURE'],
      ['INVALID_REQUEST', 'PIPELINE_DECISION'],
    ]);
    for (const one of FAILURE_CLASSES) expect(DEFAULT_POLICIES).toContain(defaultPolicy(one));
    expect(DEFAULT_POLICIES).toHaveLength(5);
  });

  it('could be saved as they are', () => {
    for (const { version, ...draft } of DEFAULT_POLICIES) {
      expect(version).toBe(0);
      expect(parsePolicy(JSON.parse(JSON.stringify(draft)))).toEqual(draft);
      expect(() => checkPolicy(draft, chart)).not.toThrow();
    }
  });
});
