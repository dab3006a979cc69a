import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import fastifyApollo from '@as-integrations/fastify';
import type { FastifyInstance } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import type { GraphqlContext } from '../../schema/context.js';
import { SluiceError } from '../core/errors.js';
import type { Log } from '../core/log.js';
import { sessionOf } from './access.js';
import type { GatewayDeps } from './deps.js';
import { parseExactJson } from './exact-json.js';
import type { FormatError } from './format-error.js';
import { answerOutages } from './outage-answer.js';
import { QUERY_LIMITS, queryLimitsRule } from './query-limits.js';

export interface GraphqlRouteOptions {
  readonly schema: GraphQLSchema;
  readonly deps: Pick<
    GatewayDeps,
    | 'jobs'
    | 'steering'
    | 'quarantine'
    | 'queues'
    | 'deadLetters'
    | 'watcher'
    | 'escalations'
    | 'successMetrics'
    | 'log'
    | 'clock'
    | 'health'
  >;
  readonly formatError: FormatError;
  readonly bodyLimit: number;
}

/** Apollo's own words go to our log; its debug and info lines are about itself. */
const apolloLogger = (log: Log) => ({
  debug: () => {},
  info: () => {},
  warn: (message: unknown) => log.warn({}, String(message)),
  error: (message: unknown) => log.error({}, String(message)),
});

/** Starts the executor of `POST /graphql` (and GET for queries). Whoever gets here has shown the token. */
export async function createApollo({
  schema,
  deps,
  formatError,
}: GraphqlRouteOptions): Promise<ApolloServer<GraphqlContext>> {
  const apollo = new ApolloServer<GraphqlContext>({
    schema,
    introspection: true,
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    persistedQueries: false,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    parseOptions: { maxTokens: QUERY_LIMITS.tokens },
    validationRules: [queryLimitsRule],
    executionOptions: { maxCoercionErrors: 20 },
    // The formatted error knows which library refused the request and how; the thrown one says what was behind it.
    formatError: (formatted, thrown) => formatError(thrown, formatted.extensions?.code),
    logger: apolloLogger(deps.log),
    plugins: [ApolloServerPluginLandingPageDisabled()],
  });
  await apollo.start();
  return apollo;
}

/** `/graphql` as a plugin, since only here bodies are JSON with exact numbers. */
export const graphqlRoute =
  (apollo: ApolloServer<GraphqlContext>, { deps, bodyLimit }: GraphqlRouteOptions) =>
  async (server: FastifyInstance) => {
    server.removeAllContentTypeParsers();
    const json = { parseAs: 'string', bodyLimit } as const;
    server.addContentTypeParser('application/json', json, async (_request: unknown, body: string) => {
      try {
        return parseExactJson(body);
      } catch {
        throw new SluiceError('BAD_REQUEST', 'The body is not JSON.');
      }
    });
    server.addHook('preValidation', async (request) => {
      // The integration makes a URL of it, and a Host header such as `a b` makes none.
      if (!URL.canParse(request.url, `http://${request.hostname}/`))
        throw new SluiceError('BAD_REQUEST', 'The URL or the Host header cannot be read.');
    });
    answerOutages(server, deps.clock, deps.health);
    await server.register(fastifyApollo(apollo), {
      path: '/graphql',
      method: ['GET', 'POST'],
      context: async (request) => {
        const { jobs, steering, quarantine, queues, deadLetters, watcher, escalations, successMetrics } = deps;
        const { caller } = sessionOf(request);
        return { caller, jobs, steering, quarantine, queues, deadLetters, watcher, escalations, successMetrics };
      },
    });
  };
