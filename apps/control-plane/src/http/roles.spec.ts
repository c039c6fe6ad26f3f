import { type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Secret } from '@gatehouse/sealing';
import { beforeAll, expect, test } from 'vitest';
import type { ControlPlaneSettings } from '../environment.ts';
import type { Principals } from '../identity/principals.service.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';
import { Allow } from './allow.ts';
import { RoleGuard } from './role.guard.ts';

const fixture = useControlPlane();
const programs = ['auditor', 'editor', 'admin'] as const;
type Caller = 'nobody' | (typeof programs)[number];
const tokens = new Map<Caller, string>();

beforeAll(async () => {
  for (const role of programs) {
    const reply = await fixture.plane.send<{ token: string }>('POST', '/v1/api-tokens', { body: { name: role, role } });
    tokens.set(role, reply.body.token);
  }
});

/** The least role of every route; `public` are those that no guard is in front of. */
const table: Readonly<Record<string, string>> = {
  'GET /v1/api-tokens': 'auditor',
  'POST /v1/api-tokens': 'admin',
  'DELETE /v1/api-tokens/:token': 'admin',
  'GET /v1/audit-events': 'auditor',
  'GET /v1/audit-events/verification': 'auditor',
  'GET /v1/auth-types': 'auditor',
  'GET /v1/call-events': 'auditor',
  'GET /v1/catalog': 'member',
  'GET /v1/catalog/:provider': 'member',
  'GET /v1/data-planes': 'auditor',
  'POST /v1/first-admin-link': 'admin',
  'GET /v1/header-policy': 'auditor',
  'PUT /v1/header-policy': 'editor',
  'PATCH /v1/header-policy': 'editor',
  'DELETE /v1/header-policy': 'editor',
  'GET /v1/header-policy/servers': 'auditor',
  'GET /v1/identity-providers': 'auditor',
  'POST /v1/identity-providers': 'admin',
  'GET /v1/identity-providers/:provider': 'auditor',
  'PUT /v1/identity-providers/:provider': 'admin',
  'PATCH /v1/identity-providers/:provider': 'admin',
  'DELETE /v1/identity-providers/:provider': 'admin',
  'GET /v1/me': 'member',
  'GET /v1/me/sessions': 'member',
  'DELETE /v1/me/sessions': 'member',
  'DELETE /v1/me/sessions/:session': 'member',
  'GET /v1/me/grants': 'member',
  'DELETE /v1/me/grants': 'member',
  'DELETE /v1/me/grants/:grant': 'member',
  'GET /v1/me/credentials': 'member',
  'PUT /v1/me/credentials/:credential': 'member',
  'DELETE /v1/me/credentials/:credential': 'member',
  'GET /v1/me/connections': 'member',
  'GET /v1/me/connections/:connection': 'member',
  'DELETE /v1/me/connections/:connection': 'member',
  'POST /v1/me/connections/:connection/reconnect-link': 'member',
  'GET /v1/oauth-clients': 'auditor',
  'POST /v1/oauth-clients': 'admin',
  'DELETE /v1/oauth-clients/:client': 'admin',
  'POST /v1/oauth/signing-keys/rotate': 'admin',
  'POST /v1/identity-keys/rotate': 'admin',
  'GET /v1/users': 'auditor',
  'POST /v1/users': 'admin',
  'GET /v1/users/:user': 'auditor',
  'PATCH /v1/users/:user': 'admin',
  'DELETE /v1/users/:user': 'admin',
  'POST /v1/users/:user/login-link': 'admin',
  'GET /v1/users/:user/sessions': 'auditor',
  'DELETE /v1/users/:user/sessions': 'admin',
  'DELETE /v1/users/:user/sessions/:session': 'admin',
  'GET /v1/users/:user/grants': 'auditor',
  'DELETE /v1/users/:user/grants/:grant': 'admin',
  'GET /v1/vault/keys': 'admin',
  'POST /v1/vault/keys/rotate': 'admin',
  'GET /v1/workspaces': 'auditor',
  'POST /v1/workspaces': 'admin',
  'GET /v1/workspaces/:workspace': 'auditor',
  'PUT /v1/workspaces/:workspace': 'admin',
  'PATCH /v1/workspaces/:workspace': 'admin',
  'DELETE /v1/workspaces/:workspace': 'admin',
  'GET /v1/workspaces/:workspace/apps': 'auditor',
  'POST /v1/workspaces/:workspace/apps': 'editor',
  'GET /v1/workspaces/:workspace/apps/:app': 'auditor',
  'PUT /v1/workspaces/:workspace/apps/:app': 'editor',
  'PATCH /v1/workspaces/:workspace/apps/:app': 'editor',
  'DELETE /v1/workspaces/:workspace/apps/:app': 'editor',
  'GET /v1/workspaces/:workspace/connections': 'auditor',
  'GET /v1/workspaces/:workspace/connections/:connection': 'auditor',
  'DELETE /v1/workspaces/:workspace/connections/:connection': 'editor',
  'POST /v1/workspaces/:workspace/connections/:connection/reconnect-link': 'editor',
  'GET /v1/workspaces/:workspace/credentials': 'auditor',
  'POST /v1/workspaces/:workspace/credentials': 'editor',
  'GET /v1/workspaces/:workspace/credentials/:credential': 'auditor',
  'PUT /v1/workspaces/:workspace/credentials/:credential': 'editor',
  'PATCH /v1/workspaces/:workspace/credentials/:credential': 'editor',
  'DELETE /v1/workspaces/:workspace/credentials/:credential': 'editor',
  'GET /v1/workspaces/:workspace/credentials/:credential/users': 'auditor',
  'DELETE /v1/workspaces/:workspace/credentials/:credential/users/:user': 'editor',
  'POST /v1/workspaces/:workspace/import-preview': 'editor',
  'GET /v1/workspaces/:workspace/servers': 'auditor',
  'POST /v1/workspaces/:workspace/servers': 'editor',
  'GET /v1/workspaces/:workspace/servers/:server': 'auditor',
  'PUT /v1/workspaces/:workspace/servers/:server': 'editor',
  'PATCH /v1/workspaces/:workspace/servers/:server': 'editor',
  'DELETE /v1/workspaces/:workspace/servers/:server': 'editor',
  'POST /v1/workspaces/:workspace/servers/:server/connect-link': 'member',
  'POST /v1/workspaces/:workspace/servers/:server/discover': 'admin',
  'POST /v1/workspaces/:workspace/servers/:server/explain': 'admin',
  'POST /v1/workspaces/:workspace/servers/:server/reimport': 'editor',
  'POST /v1/workspaces/:workspace/servers/:server/test': 'admin',
  'GET /v1/workspaces/:workspace/servers/:server/tools-source': 'auditor',
  'GET /v1/workspaces/:workspace/service-accounts': 'auditor',
  'POST /v1/workspaces/:workspace/service-accounts': 'editor',
  'GET /v1/workspaces/:workspace/service-accounts/:account': 'auditor',
  'PUT /v1/workspaces/:workspace/service-accounts/:account': 'editor',
  'DELETE /v1/workspaces/:workspace/service-accounts/:account': 'editor',
  'POST /v1/workspaces/:workspace/service-accounts/:account/rotate-key': 'editor',
};

/** What the control plane really routes, below /v1. */
async function routes(): Promise<string[]> {
  const { body } = await fixture.plane.send<{ paths: Record<string, Record<string, unknown>> }>('GET', '/openapi.json');
  return Object.entries(body.paths).flatMap(([path, item]) => Object.keys(item).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`));
}

test('every route is in the table, and nothing else is', async () => {
  expect((await routes()).toSorted()).toEqual(Object.keys(table).toSorted());
});

/** What the guard says of a request; anything behind it (404, 422, 428, …) means that it let it through. */
async function answer(route: string, caller: Caller): Promise<'unauthenticated' | 'forbidden' | 'let through'> {
  const [method = '', template = ''] = route.split(' ');
  const path = template.replaceAll(/:\w+/g, 'nothing-of-this-name');
  const token = tokens.get(caller);
  const reply = await fixture.plane.send<{ code?: string } | undefined>(method, path, {
    authorization: token === undefined ? undefined : `Bearer ${token}`,
    ...(method === 'PUT' || method === 'PATCH' || method === 'POST' ? { body: { nothing: true } } : {}),
  });
  if (reply.status === 401) return 'unauthenticated';
  return reply.status === 403 && reply.body?.code === 'forbidden' ? 'forbidden' : 'let through';
}

const order = ['member', ...programs] as const;

test.each(Object.entries(table))('%s is for %s and above', async (route, least) => {
  expect(await answer(route, 'nobody')).toBe('unauthenticated');
  // What is somebody's own is nothing to programs.
  const isOwn = /^\w+ \/v1\/me\//.test(route);
  for (const role of programs) {
    const isAllowed = order.indexOf(role) >= order.indexOf(least as (typeof order)[number]) && !isOwn;
    expect([role, await answer(route, role)]).toEqual([role, isAllowed ? 'let through' : 'forbidden']);
  }
});

class Routes {
  undeclared(): void {}

  @Allow('member')
  declared(): void {}
}

test('a route that says nothing is nobody’s, not even the administrator’s', async () => {
  const settings = { CONTROL_PLANE_URL: 'https://gatehouse.example', ADMIN_TOKEN: new Secret('') } as unknown as ControlPlaneSettings;
  const principals = { of: () => Promise.resolve({ kind: 'admin-token' }) } as unknown as Principals;
  const guard = new RoleGuard(new Reflector(), principals, settings);
  const contextOf = (handler: () => void) =>
    ({ getHandler: () => handler, getClass: () => Routes, switchToHttp: () => ({ getRequest: () => ({ method: 'GET', headers: {} }) }) }) as unknown as ExecutionContext;
  const handlerOf = (name: keyof Routes): (() => void) => Object.getOwnPropertyDescriptor(Routes.prototype, name)?.value as () => void;
  await expect(guard.canActivate(contextOf(handlerOf('declared')))).resolves.toBe(true);
  await expect(guard.canActivate(contextOf(handlerOf('undeclared')))).rejects.toMatchObject({ code: 'forbidden' });
});
