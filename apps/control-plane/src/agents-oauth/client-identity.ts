import { redirectHost, redirectKind } from './redirect-uri.ts';

/** What oidc-provider knows of a client, as far as people are told of it. */
export interface KnownClient {
  readonly clientId: string;
  readonly clientName?: string | undefined;
  readonly [key: string]: unknown;
}

/** A client as a person is shown it. */
export interface ClientIdentity {
  readonly id: string;
  readonly name: string;
  /** Where its description was published, where it was (client ID metadata document): that host vouches for the name. */
  readonly publishedAt: string | undefined;
  /** An administrator of this gateway registered it, and stands for the name. */
  readonly isRegistered: boolean;
  readonly redirectHost: string;
  /** The way back leads to a program on the person's own machine, of which any could pretend to be this client (RFC 8252 section 8.6). */
  readonly isLocal: boolean;
}

/** Of the ids of clients that administrators register: no id that a client is given, or gives itself, begins like that. */
export const registeredPrefix = 'registered.';

/** Of a name that the client chose itself: too short for a sentence that could pass for one of ours. */
const maxNameLength = 40;

export function clientIdentity(client: KnownClient, redirectUri: string): ClientIdentity {
  const publishedAt = client['clientIdMetadataDocument'] === true ? URL.parse(client.clientId)?.host : undefined;
  return {
    id: client.clientId,
    name: readableName(client.clientName) || publishedAt || 'An application without a name',
    publishedAt,
    isRegistered: client.clientId.startsWith(registeredPrefix),
    redirectHost: redirectHost(redirectUri),
    isLocal: redirectKind(redirectUri) !== 'web',
  };
}

/** Without what is not seen, or turns the text around it (control and format characters). */
const readableName = (name = ''): string => cut(name.replaceAll(/[\p{C}\p{Z}]+/gu, ' ').replaceAll(/[“”"]/g, '').trim());

const cut = (name: string): string => ([...name].length > maxNameLength ? `${[...name].slice(0, maxNameLength - 1).join('')}…` : name);

/**
 * Whether what a person agreed to once may count the next time without a question. Not for a published or preregistered client on the
 * person's machine: its id is no secret, and any program there can open a browser and listen on loopback. One that registered itself has an
 * id that others do not know, and what was agreed to is for the port it listened at.
 */
export const isRememberable = ({ publishedAt, isRegistered, isLocal }: ClientIdentity): boolean => !isLocal || (publishedAt === undefined && !isRegistered);
