/** Where a client finds its gateway; `main` reads it from the environment, options of a command win over it. */
export interface ClientConfig {
  /** Base URL of the gateway, e.g. `http://127.0.0.1:4000`. */
  readonly url: string;
  readonly token: string | undefined;
  /** Where a gateway on this machine keeps its bootstrap token. */
  readonly tokenFile: string;
}
