/** Where a command writes. Lines on `out` are answers, lines on `error` say why there is none. */
export interface Terminal {
  /** Whether a person watches `out`, so that a line may be drawn again in place. */
  readonly isTty: boolean;
  readonly stream: NodeJS.WritableStream;
  out(line: string): void;
  error(line: string): void;
}

/** The process's own stdout and stderr. A reader that goes away (`sluice watch JOB | head`) ends the process quietly. */
export function processTerminal(): Terminal {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  return {
    isTty: process.stdout.isTTY === true,
    stream: process.stdout,
    out: (line) => console.log(line),
    error: (line) => console.error(line),
  };
}

/**
 * Text from data or from the network, safe to print: control characters, which could move the cursor or
 * recolour the terminal, are shown as escapes.
 */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (char) => {
    return `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
}
