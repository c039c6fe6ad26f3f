import { createRestClient, RestFailure } from '../gateway/rest-client.ts';

/** The one-time link by which the first administrator gets an account; nothing once there is one, or where local login is switched off. */
export async function firstAdminLink(controlPlaneUrl: string, adminToken: string): Promise<string | undefined> {
  try {
    const { body } = await createRestClient({ url: controlPlaneUrl, token: adminToken }).create('/v1/first-admin-link', undefined);
    return (body as { url: string }).url;
  } catch (error) {
    if (error instanceof RestFailure && error.status === 409) return undefined;
    throw error;
  }
}
