import { type Credential, insertCredentials } from '@gatehouse/app-auth';
import { Secret } from '@gatehouse/sealing';
import { isSecretName, maskSecret } from './secret-values.ts';

/** The URL that is called. Query keys are masked before they are inserted, by the function that inserts them for calls. */
export function shownUrl(origin: string, path: string, credentials: readonly Credential[]): string {
  const masks = credentials.flatMap((credential) => (credential.in === 'query' ? [{ ...credential, value: new Secret(maskSecret(credential.value.reveal())) }] : []));
  const target = insertCredentials(withMaskedParameters(path), [], masks);
  return origin + target.replaceAll(encodeURIComponent('[secret]'), '[secret]').replaceAll(encodeURIComponent('…'), '…');
}

/** Keys are found in the query of upstream URLs too, however much they belong into appAuth. */
function withMaskedParameters(path: string): string {
  const cut = path.indexOf('?');
  if (cut === -1) return path;
  const pairs = path.slice(cut + 1).split('&').map((pair) => {
    const [entry] = new URLSearchParams(pair);
    return entry !== undefined && entry[1] !== '' && isSecretName(entry[0]) ? `${pair.slice(0, pair.indexOf('='))}=${maskSecret(entry[1])}` : pair;
  });
  return `${path.slice(0, cut)}?${pairs.join('&')}`;
}
