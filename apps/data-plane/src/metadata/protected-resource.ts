import { type ResourceForm, resourceUrl } from '@gatehouse/agent-auth';
import type { PreparedServer } from '@gatehouse/upstream-request';

/** RFC 9728 section 3. */
export const protectedResourcePrefix = '/.well-known/oauth-protected-resource';

/** Where a server's metadata is: the well-known path comes between host and path of the server's own URL (RFC 9728 section 3.1). */
export function protectedResourceMetadataUrl(publicUrl: string, form: ResourceForm, server: PreparedServer): string {
  const { origin, pathname } = new URL(resourceUrl(publicUrl, form, server));
  return origin + protectedResourcePrefix + pathname;
}

/** What a client needs to know of a server to get a token for it (RFC 9728 section 2). */
export function protectedResourceMetadata(publicUrl: string, form: ResourceForm, server: PreparedServer, { issuer }: { readonly issuer: string }): object {
  const scopes = server.agentAuth.protectedResource?.scopes ?? [];
  return {
    // The URL that the client has, or it must not use this document (RFC 9728 section 3.3).
    resource: resourceUrl(publicUrl, form, server),
    authorization_servers: [issuer],
    ...(scopes.length > 0 && { scopes_supported: scopes }),
    bearer_methods_supported: ['header'],
    resource_name: server.title,
  };
}
