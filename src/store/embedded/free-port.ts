import { createServer } from 'node:net';

/** The port itself when nobody listens on it, undefined when it is taken; 0 asks for any free port. */
function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}

/** A free port of 127.0.0.1: the preferred one when it can be had, so that addresses survive a restart. */
export async function freePort(preferred: number | undefined): Promise<number> {
  const port = (preferred && (await tryPort(preferred))) || (await tryPort(0));
  if (port === undefined) throw new Error('no free TCP port on 127.0.0.1');
  return port;
}
