import { type Configuration, fetchUserInfo } from 'openid-client';
import type { ProviderClient } from '../providers/provider-clients.service.ts';
import { type Claims, hasAllClaims } from './claims.ts';
import { isRefusedToken } from './provider-failure.ts';

/** An ID token's claims, and where it lacks some, with those of the userinfo endpoint: the ID token's count. */
export async function completeClaims({ configuration, document }: ProviderClient, accessToken: string, idClaims: Claims): Promise<Claims> {
  return hasAllClaims(idClaims, document.claims) ? idClaims : { ...(await userInfo(configuration, accessToken, idClaims)), ...idClaims };
}

/**
 * Many providers tell groups and names there only. That it is about the same person is checked (OpenID Connect Core section
 * 5.3.2). Where the access token is for something else (Entra, with scopes of an API) it is refused, and the ID token is all
 * there is; where nothing answers, nobody should find themselves without their groups.
 */
async function userInfo(configuration: Configuration, accessToken: string, { sub }: Claims): Promise<Claims> {
  if (configuration.serverMetadata().userinfo_endpoint === undefined) return {};
  try {
    return await fetchUserInfo(configuration, accessToken, String(sub));
  } catch (error) {
    if (isRefusedToken(error)) return {};
    throw error;
  }
}
