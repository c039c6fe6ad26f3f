import { taggedUnionOf } from '@gatehouse/config-fields';
import type { z } from 'zod';
import { apiKey } from './api-key.ts';
import type { PreparedAppAuth } from './app-auth-type.ts';
import { awsSigv4 } from './aws-sigv4.ts';
import { basic } from './basic.ts';
import { bearer } from './bearer.ts';
import { customHeaders } from './custom-headers.ts';
import { none } from './none.ts';
import { oauthAuthorizationCode } from './oauth-authorization-code.ts';
import { oauthClientCredentials } from './oauth-client-credentials.ts';
import { onBehalfOf } from './on-behalf-of.ts';
import { passthrough } from './passthrough.ts';

/** Every app authentication type there is. The schemas, the types, OpenAPI and the forms derive from this list. */
export const appAuthTypes = [none, passthrough, apiKey, bearer, basic, customHeaders, oauthAuthorizationCode, oauthClientCredentials, onBehalfOf, awsSigv4] as const;

export const writableAppAuth = taggedUnionOf(appAuthTypes, 'writable').meta({ id: 'AppAuthInput' });
export const completeAppAuth = taggedUnionOf(appAuthTypes, 'complete');
export const readableAppAuth = taggedUnionOf(appAuthTypes, 'readable').meta({ id: 'AppAuth' });

export type AppAuth = z.output<typeof completeAppAuth>;

/** Compiles an app authentication, once per revision. */
export function prepareAppAuth(config: AppAuth): PreparedAppAuth {
  const type = appAuthTypes.find((candidate) => candidate.type === config.type);
  if (!type) throw new TypeError(`unknown app authentication type ${config.type}`);
  // The union's member and its type's `prepare` belong together: both come from the same entry of the list.
  return (type.prepare as (config: AppAuth) => PreparedAppAuth)(config);
}
