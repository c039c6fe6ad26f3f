import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport, UnauthorizedError as ModernUnauthorized } from '@modelcontextprotocol/client';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitationCompleteNotificationSchema, UrlElicitationRequiredError } from '@modelcontextprotocol/sdk/types.js';
import type { Visit } from '../person.ts';
import type { OpenInBrowser } from './interactive-client.ts';
import { Desk } from './interactive-sdk-clients.ts';
import { textOf } from './mcp-client.ts';

/** Where someone goes: to log in at the gateway, and to connect an account. */
export interface Errands {
  readonly logIn: OpenInBrowser;
  readonly connect: OpenInBrowser;
}

/** A program that knows what to do where its person has to connect an account first. */
export interface ConnectingClient {
  name: string;
  install: (url: string, errands: Errands) => Promise<InstalledConnectingClient>;
}

export interface InstalledConnectingClient {
  listTools: () => Promise<string[]>;
  /** Resolves with the text of the tool's own result: it has connected before, if it had to. */
  callTool: (tool: string, args?: Record<string, string>) => Promise<string>;
  /** Logins at the gateway that it asked for. */
  logins: readonly Visit[];
  /** How it was told to connect, each time, and what became of it. */
  connections: { readonly told: Told; readonly visit: Visit }[];
  /** Of its person, for the gateway. */
  accessToken: () => Promise<string>;
  remove: () => Promise<void>;
}

export type Told = 'error -32042' | 'input_required' | 'tool result';

const opensUrls = { elicitation: { url: {} } };

/** One for each of the ways in which clients are told (D10, docs/rules.md). */
export const connectingClients = {
  legacy: client('SDK 1.32, opens URLs', async (url, desk, connect) => {
    const opened = await openLegacy(url, desk, opensUrls);
    const completed = new Promise<string>((resolve) => opened.setNotificationHandler(ElicitationCompleteNotificationSchema, ({ params }) => resolve(params.elicitationId)));
    return {
      listTools: () => opened.listTools(),
      close: () => opened.close(),
      callTool: async (call) => {
        try {
          return await opened.callTool(call);
        } catch (error) {
          if (!(error instanceof UrlElicitationRequiredError)) throw error;
          const [{ url: link, elicitationId } = { url: '', elicitationId: '' }] = error.elicitations;
          // It goes on when it hears that it is done, and not because its person is back.
          const [, heard] = await Promise.all([connect('error -32042', link), completed]);
          if (heard !== elicitationId) throw new Error(`heard of ${heard}, not of ${elicitationId}`, { cause: error });
          return opened.callTool(call);
        }
      },
    };
  }),
  modern: client('SDK 2.4, opens URLs', (url, desk, connect) => openModern(url, desk, opensUrls, (link) => connect('input_required', link))),
  plain: client('SDK 2.4, shows text', async (url, desk, connect) => showingText(await openModern(url, desk, {}, undefined), connect)),
  plainLegacy: client('SDK 1.32, shows text', async (url, desk, connect) => showingText(await openLegacy(url, desk, {}), connect)),
};

interface Opened {
  listTools: () => Promise<{ tools: { name: string }[] }>;
  callTool: (call: { name: string; arguments: Record<string, string> }) => Promise<object>;
  close: () => Promise<void>;
}
type Connect = (told: Told, link: string) => Promise<void>;

function client(name: string, open: (url: string, desk: Desk, connect: Connect) => Promise<Opened>): ConnectingClient {
  return {
    name,
    install: async (url, errands) => {
      const desk = await Desk.setUp(name, errands.logIn);
      const connections: InstalledConnectingClient['connections'] = [];
      const connect: Connect = async (told, link) => void connections.push({ told, visit: await errands.connect(link) });
      const use = async <T>(action: (opened: Opened) => Promise<T>): Promise<T> => {
        const opened = await open(url, desk, connect);
        try {
          return await action(opened);
        } finally {
          await opened.close();
        }
      };
      return {
        listTools: () => use(async (opened) => (await opened.listTools()).tools.map((tool) => tool.name)),
        callTool: (tool, args = {}) => use(async (opened) => textOf(await opened.callTool({ name: tool, arguments: args }))),
        logins: desk.visits,
        connections,
        accessToken: async () => (await desk.provider.tokens())?.access_token ?? '',
        remove: () => desk.close(),
      };
    },
  };
}

/** Its person reads the link in what the tool says. */
const showingText = (opened: Opened, connect: Connect): Opened => ({
  listTools: () => opened.listTools(),
  close: () => opened.close(),
  callTool: async (call) => {
    const result = await opened.callTool(call);
    const { isError } = result as { isError?: boolean };
    const link = isError === true ? /https?:\/\/\S+\/connect\?\S+/.exec(textOf(result))?.[0] : undefined;
    if (link === undefined) return result;
    await connect('tool result', link);
    return opened.callTool(call);
  },
});

/** Logs in where it has to. */
async function openLegacy(url: string, desk: Desk, capabilities: object): Promise<Client> {
  const open = async (): Promise<Client> => {
    const opened = new Client({ name: desk.title, version: '1.0.0' }, { capabilities });
    await opened.connect(transport());
    return opened;
  };
  const transport = () => new StreamableHTTPClientTransport(new URL(url), { authProvider: desk.provider });
  return open().catch(async (error: unknown) => {
    if (!(error instanceof UnauthorizedError)) throw error;
    await transport().finishAuth(desk.answer().get('code') ?? '');
    return open();
  });
}

async function openModern(url: string, desk: Desk, capabilities: object, elicit: ((link: string) => Promise<void>) | undefined): Promise<ModernClient> {
  const open = async (): Promise<ModernClient> => {
    const opened = new ModernClient({ name: desk.title, version: '1.0.0' }, { capabilities, versionNegotiation: { mode: 'auto' } });
    if (elicit !== undefined) {
      opened.setRequestHandler('elicitation/create', async ({ params }) => {
        await elicit('url' in params ? params.url : '');
        return { action: 'accept' as const };
      });
    }
    await opened.connect(transport());
    return opened;
  };
  const transport = () => new ModernTransport(new URL(url), { authProvider: desk.provider });
  return open().catch(async (error: unknown) => {
    if (!(error instanceof ModernUnauthorized)) throw error;
    await transport().finishAuth(desk.answer());
    return open();
  });
}
