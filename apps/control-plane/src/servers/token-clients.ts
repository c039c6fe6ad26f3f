import { escapeLocation } from '@gatehouse/config-fields';
import { pointerOf } from '@gatehouse/errors';

/** A client of the gateway's own in a server's document, and which of its URLs get its secrets. */
export interface TokenClient {
  /** Of the secrets that are stored of it. */
  readonly location: string;
  readonly pointer: string;
  readonly urls: readonly ClientUrl[];
}

export interface ClientUrl {
  /** Of the URL in the document. */
  readonly pointer: string;
  readonly url: string;
}

interface Config {
  readonly type?: unknown;
  readonly clientId?: unknown;
  readonly tokenUrl?: unknown;
  readonly grant?: unknown;
  readonly audience?: unknown;
  readonly target?: Config | null;
}

interface Sent {
  readonly appAuth?: Config | null;
  readonly outboundHeaders?: unknown;
}

/** Of a document as it was sent, or as it is stored: it may be anything. */
export function tokenClients(document: unknown): TokenClient[] {
  const { appAuth, outboundHeaders } = (document ?? {}) as Sent;
  const headers = Array.isArray(outboundHeaders) ? (outboundHeaders as readonly ({ readonly name?: unknown; readonly source?: Config | null } | null)[]) : [];
  return [
    ...clientsOf(appAuth, '/appAuth', '/appAuth'),
    ...headers.flatMap((header, index) => clientsOf(header?.source, `/outboundHeaders[${escapeLocation(typeof header?.name === 'string' ? header.name.toLowerCase() : '')}]/source`, pointerOf(['outboundHeaders', index, 'source']))),
  ];
}

function clientsOf(config: Config | null | undefined, at: string, pointer: string): TokenClient[] {
  if (typeof config !== 'object' || config === null) return [];
  const location = `${at}[${typeof config.type === 'string' ? config.type : ''}]`;
  const own = urlOf(config.tokenUrl, `${pointer}/tokenUrl`);
  const target = targetUrl(config, pointer);
  // Without a client of its own, the target gets what proves the other one.
  const isShared = typeof config.target?.clientId !== 'string';
  return [
    { location: `${location}/`, pointer: `${pointer}/`, urls: isShared ? [...own, ...target] : own },
    ...(config.target ? [{ location: `${location}/target/`, pointer: `${pointer}/target/`, urls: target }] : []),
  ];
}

/** Of ID-JAG: where the assertion is presented; what is found at the audience is as good as the audience. */
function targetUrl({ grant, clientId, audience, target }: Config, pointer: string): ClientUrl[] {
  if (target?.tokenUrl !== undefined) return urlOf(target.tokenUrl, `${pointer}/target/tokenUrl`);
  // A patch need not say the grant again.
  const mayBePresented = grant === 'id-jag' || (grant === undefined && clientId === undefined);
  return mayBePresented ? urlOf(audience, `${pointer}/audience`) : [];
}

const urlOf = (url: unknown, pointer: string): ClientUrl[] => (typeof url === 'string' && URL.canParse(url) && /^https?:/i.test(url) ? [{ pointer, url }] : []);
