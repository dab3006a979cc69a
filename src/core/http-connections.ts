import { z } from 'zod';

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Those that frame the request, which is not the operator's to do. */
const FRAMING = /^(connection|content-length|expect|host|keep-alive|te|trailer|transfer-encoding|upgrade)$/;

/** A password in the URL would not be sent: it belongs into the headers. */
function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === '' && password === '';
}

const headers = z.record(
  z
    .string()
    .regex(HEADER_NAME)
    .transform((name) => name.toLowerCase())
    .refine((name) => !FRAMING.test(name)),
  z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/),
);

/** Endpoints as the operator names them, with what is sent to each; names of headers in lower case. */
export const httpConnections = z.record(
  z.string().regex(/^[a-z][a-z0-9_-]*$/i),
  z.strictObject({ url: z.string().refine(isPlainUrl), headers: headers.default({}) }),
);

export type HttpConnection = z.output<typeof httpConnections>[string];
