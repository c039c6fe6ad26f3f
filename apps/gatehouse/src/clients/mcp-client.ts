/** A server of the gateway, as a client is told about it. */
export interface ServerEntry {
  readonly name: string;
  readonly url: string;
  /** The server wants the key of a service account. */
  readonly needsKey: boolean;
}

/** Where a person's files are. */
export interface Places {
  readonly workingDirectory: string;
  readonly home: string;
  readonly platform: NodeJS.Platform;
  /** `%APPDATA%` on Windows. */
  readonly applicationData?: string | undefined;
}

/** An MCP client that is configured by a JSON file with one object of servers in it. */
export interface McpClient {
  readonly title: string;
  file(places: Places): string;
  /** The field that holds the servers by name. */
  readonly field: string;
  entry(server: ServerEntry): object;
  /** What else the file needs; lists are added to, never replaced. */
  extras?(servers: readonly ServerEntry[]): Readonly<Record<string, readonly { readonly id: string }[]>>;
  /** What to do with the printed configuration, or instead of it. */
  hints(servers: readonly ServerEntry[]): readonly string[];
}

export const keyHeader = 'X-Gatehouse-Key';
/** The variable in which clients that can read one find the key: a file that is checked in must not hold it. */
export const keyVariable = 'GATEHOUSE_KEY';

/** A field only where the server needs it. */
export const headersFor = ({ needsKey }: ServerEntry, reference: string): { headers?: Record<string, string> } =>
  needsKey ? { headers: { [keyHeader]: reference } } : {};
