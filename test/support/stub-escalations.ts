import type { Escalation, EscalationState } from '../../escalation/escalation.js';
import type { Agent } from '../../escalation/org-chart.js';
import type { Policy } from '../../escalation/policy.js';
import type { LogEntry } from '../../escalation/ports.js';
import type { EscalationService, Written } from '../../escalation/service.js';
import { VERDICTS } from '../../escalation/verdict.js';

const AT = new Date('2026-11-23T09:30:00Z');
const HOUR = 3_600_000;

export const SOME_AGENTS: readonly Agent[] = [
  { id: 'agent-0', kind: 'ceo', number: 0, name: 'ESA Orchestrator', reportsTo: [] },
  { id: 'chief-2', kind: 'chief', number: 2, name: 'Core Division', reportsTo: ['agent-0'], layers: [11, 20] },
  { id: 'layer-20', kind: 'layer', number: 20, name: 'Workflow Engine', reportsTo: ['chief-2'] },
  {
    id: 'layer-12',
    kind: 'layer',
    number: 12,
    name: 'Data Processing',
    reportsTo: ['chief-2'],
    peers: ['layer-20'],
  },
  { id: 'life-ceo-1', kind: 'life-ceo', number: null, name: 'Life CEO', reportsTo: ['agent-0'] },
];

/** A ladder of two steps: the chief for an hour, then the CEO for two. */
export function aPolicy(overrides: Partial<Policy> = {}): Policy {
  const step = { tell: [], channels: ['FEED'], onEmpty: 'SKIP', quorum: 1 } as const;
  return {
    id: 'pipeline-decision',
    version: 3,
    failureClass: 'PIPELINE_DECISION',
    pipeline: null,
    steps: [
      { ...step, ask: [{ role: 'CHIEF' }], waitMs: HOUR, allowedVerdicts: ['RETRY', 'PATCH_SPEC', 'ABORT'] },
      { ...step, ask: [{ agent: 'agent-0' }], waitMs: 2 * HOUR, allowedVerdicts: VERDICTS },
    ],
    repeat: 1,
    ackTimeoutMs: HOUR / 2,
    groupWindowMs: HOUR,
    maintenance: [],
    autoResolve: true,
    endAction: 'HOLD',
    catchUp: 'NEXT_STEP',
    ...overrides,
  };
}

/** An escalation as a store would answer it: the chief is asked. */
export function anEscalation(overrides: Partial<Escalation> = {}, state: Partial<EscalationState> = {}): Escalation {
  return {
    id: '01931c00-0000-7000-8000-00000000000e',
    tenant: 'default',
    title: 'orders: the target has another column',
    failureClass: 'PIPELINE_DECISION',
    rule: 'target-drift',
    confidence: 0.9,
    owner: 'layer-12',
    jobId: '01931c00-0000-7000-8000-000000000001',
    pipeline: 'orders',
    target: 'default.public.orders',
    policyId: 'pipeline-decision',
    policyVersion: 3,
    state: {
      status: 'ASKING',
      step: 0,
      round: 0,
      climb: 0,
      asked: ['chief-2'],
      declined: [],
      holder: null,
      dueAt: new Date(AT.getTime() + HOUR),
      votes: [],
      verdict: null,
      failures: {},
      ...state,
    },
    occurrences: 1,
    evidenceHash: 'abc',
    version: 1,
    openedAt: AT,
    lastOccurredAt: AT,
    resolvedAt: null,
    ...overrides,
  };
}

export function aLogEntry(overrides: Partial<LogEntry> = {}): LogEntry {
  return {
    tenant: 'default',
    seq: 1,
    escalationId: anEscalation().id,
    at: AT,
    kind: 'OPEN',
    actor: 'job',
    agents: ['chief-2'],
    status: 'ASKING',
    data: { policy: 'pipeline-decision', version: 3 },
    prevHash: '',
    hash: 'h1',
    ...overrides,
  };
}

const done = async (): Promise<Written> => ({ kind: 'DONE', escalation: anEscalation({ version: 2 }) });

/** A service whose every method can be replaced; it is the API that is tested with it, not escalations. */
export function stubEscalations(methods: Partial<EscalationService> = {}): EscalationService {
  return {
    acknowledge: done,
    claim: done,
    renewClaim: done,
    releaseClaim: done,
    decline: done,
    submitVerdict: done,
    escalate: done,
    snooze: done,
    reassign: done,
    comment: async () => anEscalation(),
    resolve: done,
    reopen: done,
    open: async () => anEscalation(),
    redeliver: async () => 0,
    get: async (_tenant, id) => anEscalation({ id }),
    list: async () => ({ items: [], hasNextPage: false, totalCount: 0 }),
    byJob: async () => [],
    evidence: async () => null,
    log: async () => [],
    watch: async function* () {
      yield* [];
    },
    verifyLog: async () => null,
    lastLogSeq: async () => 0,
    policies: async () => [aPolicy()],
    policy: async (_tenant, id, version) => aPolicy({ id, version }),
    savePolicy: async () => ({ kind: 'DONE', policy: aPolicy() }),
    simulate: async () => ({ events: [], ceoAfterMs: null, endAfterMs: 0 }),
    agents: () => SOME_AGENTS,
    contacts: async () => [],
    saveContact: async (_caller, contact) => ({ ...contact, disabledReason: null, updatedAt: AT }),
    ...methods,
  };
}
