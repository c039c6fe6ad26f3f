import { authorizationServerMetadata } from '@gatehouse/gateway-config';
import { expect, test } from 'vitest';
import { startTestControlPlane } from '../spec-support/start-test-control-plane.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';

const fixture = useControlPlane();

test.each([true, false])('what data planes repeat of it is what the authorization server says (clients register themselves: %s)', async (registers) => {
  const plane = await startTestControlPlane({ environment: { ...fixture.plane.environment, GATEHOUSE_OAUTH_DYNAMIC_REGISTRATION: String(registers) } });
  try {
    for (const name of ['oauth-authorization-server', 'openid-configuration']) {
      const { body } = await plane.send('GET', `/.well-known/${name}`, { authorization: undefined });
      expect(authorizationServerMetadata('http://localhost:3000', registers)).toEqual(body);
    }
  } finally {
    await plane.close();
  }
});
