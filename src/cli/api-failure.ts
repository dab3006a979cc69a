import { ClientFailure, type Complaint, EXIT } from './client-failure.js';

/** The connection broke, or could not be made; the same subscription may go on over a new one. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';

  /** @param isRestart whether a gateway was there and is going down: it, or another one, will be there soon */
  constructor(
    message: string,
    readonly isRestart: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A GraphQL error of an answer, as far as a client needs it. */
export interface GraphqlErrorShape {
  readonly message: string;
  readonly path?: readonly (string | number)[] | undefined;
  readonly extensions?: { readonly code?: unknown; readonly path?: unknown } | undefined;
}

export const unreachable = (url: string): ClientFailure =>
  new ClientFailure(EXIT.unreachable, [
    {
      code: 'UNREACHABLE',
      message: `No gateway answers at ${url}: start one with \`sluice serve\`, or name its address with --url or SLUICE_URL.`,
    },
  ]);

export const unauthorised = (url: string): ClientFailure =>
  new ClientFailure(EXIT.unreachable, [
    {
      code: 'UNAUTHENTICATED',
      message: `The gateway at ${url} wants a valid token: give it with --token or SLUICE_ADMIN_TOKEN, or set SLUICE_HOME to the folder of the gateway.`,
    },
  ]);

export const notAGateway = (url: string, status: number): ClientFailure =>
  new ClientFailure(EXIT.unreachable, [
    {
      code: 'UNREACHABLE',
      message: `What answers at ${url} (status ${status}) is no Sluice gateway, or not ready: check --url, or try again in a moment.`,
    },
  ]);

/** GraphQL errors as the failure of a command. */
export function refused(url: string, errors: readonly GraphqlErrorShape[]): ClientFailure {
  const complaints = errors.map(complaintOf);
  const [first = { code: 'INTERNAL', message: 'The gateway answered with an error and no text.' }, ...rest] =
    complaints;
  if (first.code === 'UNAUTHENTICATED') return unauthorised(url);
  return new ClientFailure(EXIT.failed, [first, ...rest]);
}

function complaintOf({ message, extensions }: GraphqlErrorShape): Complaint {
  const code = typeof extensions?.code === 'string' ? extensions.code : 'INTERNAL';
  const path = Array.isArray(extensions?.path) ? extensions.path.map(String) : undefined;
  return { code, message: sentence(message), path };
}

const sentence = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`);

// 4400 bad request, 4401 and 4403 no access, 4406 wrong protocol, 4409 duplicate id: trying again changes nothing.
const ACCESS_CODES = [4401, 4403];
const FINAL_CODES = [4400, 4406, 4409];

/** What a broken subscription means: GraphQL errors and refusals are final, everything else may be tried again. */
export function subscriptionFailure(url: string, thrown: unknown): ClientFailure | ConnectionLost {
  if (thrown instanceof ClientFailure) return thrown;
  if (Array.isArray(thrown)) return refused(url, thrown.filter(isGraphqlError));
  const code = closeCode(thrown);
  if (code !== undefined && ACCESS_CODES.includes(code)) return unauthorised(url);
  // The upgrade itself was refused for want of a token.
  if (thrown instanceof Error && /\b40[13]\b/.test(thrown.message)) return unauthorised(url);
  if (code !== undefined && FINAL_CODES.includes(code)) {
    return new ClientFailure(EXIT.failed, [
      { code: 'BAD_REQUEST', message: `The gateway ended the subscription with code ${code}.` },
    ]);
  }
  // 1012, service restart; or the upgrade was refused with 503 by one that is stopping.
  const isRestart = code === 1012 || (thrown instanceof Error && /\b503\b/.test(thrown.message));
  return new ConnectionLost('The connection to the gateway was lost.', isRestart, { cause: thrown });
}

const isGraphqlError = (value: unknown): value is GraphqlErrorShape =>
  typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string';

function closeCode(thrown: unknown): number | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'number' ? thrown.code : undefined;
}
