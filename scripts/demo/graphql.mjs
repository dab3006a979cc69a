const ANSWER_WITHIN_MS = 10_000;

/** A GraphQL client in a few lines: all that an agent needs of the gateway. */
export function createGraphql({ url, token }) {
  return async (query, variables) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    const { data, errors } = await response.json();
    if (errors) throw new Error(errors.map(({ message }) => message).join(' '));
    return data;
  };
}

/** The gateway understood and said no; `codes` are those of docs/errors.md. */
export class Refused extends Error {
  constructor(userErrors) {
    super(userErrors.map(({ message }) => message).join(' '));
    this.codes = userErrors.map(({ code }) => code);
  }
}

/** What a mutation answers. @throws Refused */
export function written({ userErrors, ...answer }) {
  if (userErrors.length > 0) throw new Refused(userErrors);
  return answer;
}
