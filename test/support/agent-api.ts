import { expect } from 'vitest';
import type { TestGateway } from './gateway.js';

/** An escalation as an agent sees it in an answer. */
export interface SeenEscalation {
  readonly id: string;
  readonly version: number;
  readonly status: string;
  readonly holder: { readonly id: string } | null;
  readonly asked: readonly { readonly id: string }[];
}

/** What a write to an escalation answers. */
export interface AgentAnswer {
  readonly escalation: SeenEscalation | null;
  readonly conflict: { readonly current: SeenEscalation } | null;
  readonly userErrors: readonly { readonly code: string; readonly message: string; readonly path: readonly string[] }[];
}

const SEEN = 'id version status holder { id } asked { id }';
const WRITTEN = `escalation { ${SEEN} } conflict { current { ${SEEN} } }`;

const typeOf = (mutation: string): string => `${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input`;

/** Sends a mutation that takes one input of the type of its name. @returns what it answers, errors of GraphQL too */
export const sendAs = (gateway: Pick<TestGateway, 'ask'>, mutation: string, input: object, fields: string) =>
  gateway.ask(
    `mutation ($input: ${typeOf(mutation)}!) { answer: ${mutation}(input: $input) { ${fields} userErrors { code message path } } }`,
    { input },
  );

/** A write to an escalation that GraphQL itself has nothing against. */
export async function writeAs(
  gateway: Pick<TestGateway, 'ask'>,
  mutation: string,
  input: object,
): Promise<AgentAnswer> {
  const { data, errors } = await sendAs(gateway, mutation, input, WRITTEN);
  expect(errors).toBeUndefined();
  // The document asks for exactly these fields.
  return data?.answer as AgentAnswer;
}
