import { operation, USER_ERRORS, type UserError } from './operations.js';

export interface PolicyHead {
  readonly id: string;
  readonly version: number;
  readonly failureClass: string;
  readonly pipeline: string | null;
}

export const POLICIES = operation<{ readonly escalationPolicies: readonly PolicyHead[] }, Record<string, never>>(
  'query Policies { escalationPolicies { id version failureClass pipeline } }',
);

export interface SimulatedEvent {
  /** ISO 8601 duration since the failure, as the other times. */
  readonly at: string;
  readonly kind: string;
  readonly status: string;
  readonly step: number;
  readonly round: number;
  readonly agents: readonly { readonly id: string; readonly name: string }[];
  readonly description: string;
}

export interface Simulation {
  readonly ceoAfter: string | null;
  readonly endAfter: string;
  readonly events: readonly SimulatedEvent[];
}

export const SIMULATE = operation<
  {
    readonly simulateEscalation: {
      readonly simulation: Simulation | null;
      readonly userErrors: readonly UserError[];
    };
  },
  { readonly input: Readonly<Record<string, unknown>> }
>(`
  query Simulate($input: SimulateEscalationInput!) {
    simulateEscalation(input: $input) {
      simulation { ceoAfter endAfter events { at kind status step round agents { id name } description } } ${USER_ERRORS}
    }
  }`);
