import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  parse,
  specifiedRules,
  subscribe,
  validate,
} from 'graphql';
import type { SubscribePayload } from 'graphql-ws';
import { QUERY_LIMITS, queryLimitsRule } from './query-limits.js';

/** A document that may run, or why it may not. */
type Checked = { readonly document: DocumentNode } | { readonly errors: readonly GraphQLError[] };

/** Many clients send the same few documents; each is parsed and validated once. */
const REMEMBERED_DOCUMENTS = 200;

function check(schema: GraphQLSchema, query: string): Checked {
  try {
    const document = parse(query, { maxTokens: QUERY_LIMITS.tokens });
    const errors = validate(schema, document, [...specifiedRules, queryLimitsRule], { maxErrors: 20 });
    return errors.length > 0 ? { errors } : { document };
  } catch (error) {
    // A syntax error answers the one operation; thrown on, it would close the socket and all that runs on it.
    if (error instanceof GraphQLError) return { errors: [error] };
    throw error;
  }
}

/** Checks the operations of sockets: parses, validates, and takes subscriptions only. */
export function createOperationCheck(schema: GraphQLSchema) {
  const remembered = new Map<string, Checked>();
  return ({ query, operationName, variables }: SubscribePayload): ExecutionArgs | readonly GraphQLError[] => {
    const checked = remembered.get(query) ?? check(schema, query);
    if (remembered.size >= REMEMBERED_DOCUMENTS) remembered.clear();
    remembered.set(query, checked);
    if ('errors' in checked) return checked.errors.map(asRequestError);
    const operation = getOperationAST(checked.document, operationName);
    if (!operation)
      return [
        requestError('OPERATION_RESOLUTION_FAILURE', 'Name the operation to run: the document has none or several.'),
      ];
    if (operation.operation !== 'subscription')
      return [requestError('BAD_REQUEST', 'Sockets are for subscriptions: send queries and mutations by POST.')];
    const { document } = checked;
    return { schema, document, operationName: operationName ?? null, variableValues: variables ?? null };
  };
}

const requestError = (code: string, message: string) => new GraphQLError(message, { extensions: { code } });

/** What graphql-js says without a code of its own, with the one that HTTP gives it. */
function asRequestError(error: GraphQLError): GraphQLError {
  if (error.extensions.code !== undefined) return error;
  const code = error.message.startsWith('Syntax Error') ? 'GRAPHQL_PARSE_FAILED' : 'GRAPHQL_VALIDATION_FAILED';
  return new GraphQLError(error.message, {
    nodes: error.nodes ?? null,
    source: error.source ?? null,
    positions: error.positions ?? null,
    extensions: { code },
  });
}

/** graphql-js lets what a resolver throws before its stream begins through, and graphql-ws closes the socket for it. */
export async function subscribeSafely(args: ExecutionArgs): Promise<AsyncGenerator<ExecutionResult> | ExecutionResult> {
  try {
    return await subscribe(args);
  } catch (error) {
    const originalError = error instanceof Error ? error : new Error(String(error));
    return { errors: [new GraphQLError(originalError.message, { originalError })] };
  }
}
