import { Secret } from '@gatehouse/sealing';
import { describe, expect, it } from 'vitest';
import { clearedSecret } from './secret-field.ts';
import { putAtLocations, takeSecrets } from './secret-locations.ts';

const headers = (...names: string[]) => ({ appAuth: { type: 'custom-headers', headers: names.map((name) => ({ name })) } });

describe('taking secrets out', () => {
  it('leaves a document without them, and says where they were', () => {
    const { document, secrets } = takeSecrets({
      name: 'orders',
      appAuth: { type: 'custom-headers', headers: [{ name: 'X-A', value: new Secret('1') }, { name: 'X-B', value: clearedSecret }, { name: 'X-C', value: undefined }] },
    });
    expect(document).toEqual({ name: 'orders', ...headers('X-A', 'X-B', 'X-C') });
    expect([...secrets.keys()]).toEqual(['/appAuth[custom-headers]/headers[x-a]/value', '/appAuth[custom-headers]/headers[x-b]/value']);
  });
});

describe('putting values back', () => {
  const locations = new Map([['/appAuth[custom-headers]/headers[x-a]/value', 1], ['/appAuth[custom-headers]/headers[x-b]/value', 2]]);

  it('follows a reordered list', () => {
    const document = headers('X-B', 'X-A');
    expect([...putAtLocations(document, locations)]).toHaveLength(2);
    expect(document.appAuth.headers).toEqual([{ name: 'X-B', value: 2 }, { name: 'X-A', value: 1 }]);
  });

  it('leaves out what has no place any more', () => {
    expect([...putAtLocations(headers('X-A'), locations)]).toEqual(['/appAuth[custom-headers]/headers[x-a]/value']);
  });

  it('never gives one type’s secret to another with a field of the same name', () => {
    const document = { appAuth: { type: 'api-key', name: 'X-K', in: 'header' } };
    expect(putAtLocations(document, new Map([['/appAuth[other-type]/value', 1]])).size).toBe(0);
    expect(document.appAuth).not.toHaveProperty('value');
  });

  it('does not replace what is there', () => {
    const document = { appAuth: { type: 'bearer', token: 'new' } };
    expect(putAtLocations(document, new Map([['/appAuth[bearer]/token', 'old']])).size).toBe(0);
  });

  it('is not confused by names with slashes and tildes', () => {
    const document = { list: [{ name: 'a/b~c' }] };
    const taken = takeSecrets({ list: [{ name: 'a/b~c', value: new Secret('x') }] });
    expect(putAtLocations(document, taken.secrets).size).toBe(1);
    expect(document.list[0]).toHaveProperty('value');
  });
});
