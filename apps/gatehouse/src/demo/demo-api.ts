import { describeRequest } from './describe-request.ts';

/** The tools' data as a small REST API: `/api/whoami`, `/api/add?a=…&b=…`, `/api/echo?text=…`. Undefined: no such path. */
export function answerDemoApi(request: Request): Response | undefined {
  const { pathname, searchParams } = new URL(request.url);
  const route = routes[pathname];
  if (!route) return undefined;
  if (request.method !== 'GET') return Response.json({ error: 'only GET' }, { status: 405, headers: { Allow: 'GET' } });
  return route(searchParams, request.headers);
}

const routes: Readonly<Record<string, (query: URLSearchParams, headers: Headers) => Response>> = {
  '/api/whoami': (_query, headers) => Response.json(describeRequest(headers)),
  '/api/add': (query) => {
    const [a, b] = [Number(query.get('a') ?? Number.NaN), Number(query.get('b') ?? Number.NaN)];
    return Number.isFinite(a + b) ? Response.json({ sum: a + b }) : Response.json({ error: 'a and b must be numbers' }, { status: 400 });
  },
  '/api/echo': (query) => Response.json({ text: query.get('text') ?? '' }),
};
