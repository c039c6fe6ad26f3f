import type { BrowserSession } from '../../identity/browser-sessions.service.ts';
import type { ClientIdentity } from '../client-identity.ts';
import { isRememberable } from '../client-identity.ts';
import type { ResourceServer } from '../resource-servers.ts';
import { mayUse } from '../server-access.ts';

export interface Agreement {
  /** Id of the person whom the page named. Nobody's where it was shown before the login: then it is whoever logs in next. */
  readonly person?: string;
}

/** What has happened in a flow so far. Kept with it, on the server's side. */
export interface FlowProgress {
  /** Somebody has agreed, on the page of this flow. */
  readonly agreed?: Agreement;
  /** When it sent the browser to log in, in milliseconds since the epoch. */
  readonly sentToLoginAt?: number;
}

/** One authorization request of a client, on its way through a browser. */
export interface LoginFlow {
  readonly uid: string;
  readonly client: ClientIdentity;
  readonly server: ResourceServer;
  /** As the client named it. */
  readonly resource: string;
  /** As tokens and consents name it. */
  readonly audience: string;
  readonly scopes: readonly string[];
  readonly prompts: ReadonlySet<string>;
  /** How old a login may be that is good enough. */
  readonly maxAgeSeconds: number | undefined;
  readonly startedAt: number;
  readonly progress: FlowProgress;
}

export type Step =
  | { readonly step: 'ask' }
  | { readonly step: 'log-in'; readonly identityProvider: string | undefined; readonly isFresh: boolean }
  | { readonly step: 'refuse'; readonly why: 'not-allowed' | 'wrong-provider' }
  | { readonly step: 'finish' };

/**
 * What comes next. Consent comes before the login (MCP security best practices, confused deputy): whoever was tricked into a request
 * sees which application asks before their organisation's login page makes it look like their own idea.
 */
export function nextStep(flow: LoginFlow, session: BrowserSession | undefined, hasConsented: boolean, now: number): Step {
  const { identityProvider } = flow.server;
  const isAgreed = hasAgreed(flow.progress, session) || (hasConsented && session !== undefined && isRememberable(flow.client) && !flow.prompts.has('consent'));
  const isFresh = needsFreshLogin(flow, session, now);
  if (!isAgreed) return { step: 'ask' };
  if (session === undefined || isFresh) return { step: 'log-in', identityProvider, isFresh };
  if (identityProvider !== undefined && session.person.provider !== identityProvider) {
    // Once: the same person may have an account there. Who comes back with another one has none.
    return flow.progress.sentToLoginAt === undefined ? { step: 'log-in', identityProvider, isFresh: false } : { step: 'refuse', why: 'wrong-provider' };
  }
  return mayUse(flow.server, session.person) ? { step: 'finish' } : { step: 'refuse', why: 'not-allowed' };
}

/** What one person read and agreed to counts for no other, who may have logged in in another tab meanwhile. */
function hasAgreed({ agreed }: FlowProgress, session: BrowserSession | undefined): boolean {
  if (agreed === undefined) return false;
  return agreed.person === undefined || session === undefined || agreed.person === session.person.id;
}

function needsFreshLogin({ prompts, maxAgeSeconds, startedAt }: LoginFlow, session: BrowserSession | undefined, now: number): boolean {
  if (session === undefined) return false;
  const loggedInAt = session.authenticatedAt.getTime();
  // Sessions are timed by the database's clock, flows by this one's.
  if ((prompts.has('login') || prompts.has('select_account')) && loggedInAt < startedAt - clockDifferenceMs) return true;
  return maxAgeSeconds !== undefined && now - loggedInAt > maxAgeSeconds * 1_000 && loggedInAt < startedAt - clockDifferenceMs;
}

const clockDifferenceMs = 5_000;
