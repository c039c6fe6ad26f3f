import { isIP } from 'node:net';

/** Where hosting companies give names to anybody. Not all of them: whoever has a name at another one shares its site with strangers. */
const hosting: ReadonlySet<string> = new Set([
  'amazonaws.com', 'azurewebsites.net', 'azurestaticapps.net', 'appspot.com', 'cloudfront.net', 'deno.dev', 'firebaseapp.com', 'fly.dev', 'github.io', 'gitlab.io',
  'herokuapp.com', 'modal.run', 'netlify.app', 'ngrok.app', 'ngrok.dev', 'ngrok.io', 'ngrok-free.app', 'onrender.com', 'pages.dev', 'replit.app', 'railway.app', 'run.app',
  'trycloudflare.com', 'vercel.app', 'web.app', 'workers.dev',
]);

/** Whether two URLs are of one owner, as far as their hosts say: one is the other or above it, or both are below one registered name. */
export function isSameSite(one: string, other: string): boolean {
  const [a, b] = [new URL(one).hostname, new URL(other).hostname];
  if (a === b) return true;
  if (isAddress(a) || isAddress(b)) return false;
  return (isAbove(a, b) || isAbove(b, a) || siteOf(a) === siteOf(b)) && a.includes('.') && b.includes('.');
}

const isAddress = (host: string): boolean => host.startsWith('[') || isIP(host) !== 0;

const isAbove = (parent: string, child: string): boolean => child.endsWith(`.${parent}`);

/** The last two labels; three where names are registered below two of them, as in `co.uk`. In doubt three: that refuses too much and not too little. */
function siteOf(host: string): string {
  const labels = host.split('.');
  const [second = '', top = ''] = labels.slice(-2);
  const isShared = (top.length === 2 && second.length <= 3) || hosting.has(`${second}.${top}`);
  return labels.slice(isShared ? -3 : -2).join('.');
}
