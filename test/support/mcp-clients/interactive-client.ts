import type { Visit } from '../person.ts';

/** Opens a URL as a person's browser does, and says what became of it. */
export type OpenInBrowser = (url: string) => Promise<Visit>;

/** One MCP client program that is given nothing but the URL of a server. */
export interface InteractiveClient {
  name: string;
  /** What the consent page calls it. */
  title: string;
  /** On one person's machine, where nothing is remembered yet. */
  install: (open: OpenInBrowser) => Promise<InstalledClient>;
}

/** It keeps what it was given when its person logged in, as long as it is installed. */
export interface InstalledClient {
  listTools: (url: string) => Promise<string[]>;
  /** Resolves with the text of the result. */
  callTool: (url: string, tool: string, args: Record<string, string>) => Promise<string>;
  /** Logins that it asked for, in order. */
  visits: Visit[];
  remove: () => Promise<void>;
}
