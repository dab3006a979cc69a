// PostgreSQL refuses a NOTIFY of 8,000 bytes and more; both buses keep to it, so that none hides what the other refuses.
const MAX_BYTES = 7_999;

export function encodePayload(payload: object): string {
  const text = JSON.stringify(payload);
  if (Buffer.byteLength(text) > MAX_BYTES) throw new RangeError(`A bus payload takes at most ${MAX_BYTES} bytes.`);
  return text;
}

/** Undefined when it is not JSON, i.e. when somebody else uses our channel. */
export function parsePayload(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
