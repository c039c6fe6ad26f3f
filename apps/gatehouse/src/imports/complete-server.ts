import { CommandFailure, exitCodes } from '../command-failure.ts';

/** A document that the gateway proposes. */
export interface ProposedServer extends Readonly<Record<string, unknown>> {
  readonly name: string;
  readonly tools: Readonly<Record<string, unknown>>;
  readonly upstream?: { readonly url: string };
  readonly appAuth: Readonly<Record<string, unknown>> & { readonly type: string };
}

export interface Completion {
  readonly agentAuth: string;
  /** Of the API. */
  readonly credential: string | undefined;
  /** App authentication that was sent already, which is proposed without its secret. */
  readonly given: object | undefined;
}

/**
 * What is proposed, with what a person adds to it, and what that person should know.
 * @throws CommandFailure where something lacks that cannot be done without
 */
export function completeServer({ server, missing }: { readonly server: ProposedServer; readonly missing: readonly { readonly pointer: string }[] }, { agentAuth, credential, given }: Completion): { server: object; notes: string[] } {
  if (missing.some(({ pointer }) => pointer.startsWith('/upstream'))) {
    throw new CommandFailure('The document does not say where the API is: name it by --upstream <url>.', { exitCode: exitCodes.usage });
  }
  const { appAuth, notes } = given === undefined ? appAuthOf(server.appAuth, credential) : { appAuth: given, notes: [] };
  return { server: { ...server, agentAuth: { type: agentAuth }, appAuth }, notes };
}

function appAuthOf(proposed: ProposedServer['appAuth'], credential: string | undefined): { appAuth: object; notes: string[] } {
  if (credential === undefined) return proposed.type === 'none' ? { appAuth: proposed, notes: [] } : { appAuth: { type: 'none' }, notes: [`The API asks for ${describe(proposed)}, and the server sends none: give it by --credential-env, or set appAuth.`] };
  switch (proposed.type) {
    case 'api-key':
      return { appAuth: { ...proposed, value: credential }, notes: [] };
    case 'basic':
      return { appAuth: basicOf(credential), notes: [] };
    case 'none':
    case 'bearer':
      return { appAuth: { type: 'bearer', token: credential }, notes: [] };
    default:
      throw new CommandFailure(`The API asks for ${describe(proposed)}, which takes more than one value: write the server down and apply it.`, { exitCode: exitCodes.usage });
  }
}

function basicOf(credential: string): object {
  const colon = credential.indexOf(':');
  if (colon === -1) throw new CommandFailure('The API asks for a user name and a password: give them as user:password.', { exitCode: exitCodes.usage });
  return { type: 'basic', username: credential.slice(0, colon), password: credential.slice(colon + 1) };
}

function describe({ type, name, in: place }: Readonly<Record<string, unknown>>): string {
  switch (type) {
    case 'api-key':
      return `a key in the ${place === 'query' ? 'query parameter' : 'header'} ${String(name)}`;
    case 'bearer':
      return 'a bearer token';
    case 'basic':
      return 'a user name and a password';
    default:
      return `credentials by OAuth (${String(type)})`;
  }
}
