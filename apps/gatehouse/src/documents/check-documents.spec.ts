import { describe, expect, it } from 'vitest';
import { checkDocuments } from './check-documents.ts';
import { documentKinds } from './document-kinds.ts';
import { parseDocuments } from './read-documents.ts';
import { titleOf } from './written-document.ts';

const check = (source: string, environment = {}) => checkDocuments(parseDocuments(source, 'f.yaml'), environment);

const server = `kind: Server
workspace: sales
name: orders
type: mcp
upstream: { url: https://orders.example/mcp }
agentAuth: { type: passthrough }
`;

describe('checkDocuments', () => {
  it('gives documents in the order of their dependencies', async () => {
    const documents = await check(`${server}---\nkind: ServiceAccount\nname: ci\n---\nkind: Workspace\nname: sales\n`);
    expect(documents.map(titleOf)).toEqual(['Workspace sales', 'ServiceAccount default/ci', 'Server sales/orders']);
  });

  it('gives virtual servers after all that can be members', async () => {
    const virtual = 'kind: Server\nworkspace: sales\nname: all\ntype: virtual\nagentAuth: { type: passthrough }\nmembers: [{ server: orders }]\n';
    expect((await check(`${virtual}---\n${server}`)).map(titleOf)).toEqual(['Server sales/orders', 'Server sales/all']);
  });

  it('sends what was written, without kind and workspace, references resolved', async () => {
    const [document] = await check(`${server}appAuth: { type: bearer, token: { fromEnv: TOKEN } }\n`, { TOKEN: 't' });
    expect(document?.body).toEqual({
      name: 'orders',
      type: 'mcp',
      upstream: { url: 'https://orders.example/mcp' },
      agentAuth: { type: 'passthrough' },
      appAuth: { type: 'bearer', token: 't' },
    });
  });

  it('reports every problem of every document with file, line, name and pointer', async () => {
    const source = `${server}titel: Orders\nappAuth:\n  type: bearer\n  token: { fromEnv: TOKEN }\n---\nkind: Server\nname: Bad Name\ntype: mcp\nupstream: { url: ftp://x }\nagentAuth: { type: passthrough }\n---\nkind: Unknown\n`;
    const lines = await check(source).then(
      () => [],
      (error: Error) => error.message.split('\n'),
    );
    expect(lines[0]).toBe('The documents have problems; nothing was changed.');
    expect(lines.slice(1).map((line) => line.trim().split('  ').slice(0, 3))).toEqual([
      ['f.yaml:10', 'Server sales/orders', '/appAuth/token'],
      ['f.yaml:7', 'Server sales/orders', '/titel'],
      ['f.yaml:13', 'Server default/Bad Name', '/name'],
      ['f.yaml:15', 'Server default/Bad Name', '/upstream/url'],
      ['f.yaml:18', '/kind', 'must be one of HeaderPolicy, IdentityProvider, Workspace, ServiceAccount, App, Credential, Server'],
    ]);
  });

  it('never quotes a secret that is wrong', async () => {
    const source = `${server}appAuth: { type: bearer, token: { fromEnv: TOKEN } }\n`;
    await expect(check(source, { TOKEN: 'canary\u0000' })).rejects.toThrow(/\/appAuth\/token/);
    await expect(check(source, { TOKEN: 'canary\u0000' })).rejects.not.toThrow(/canary/);
  });

  it('refuses the same document twice', async () => {
    await expect(check(`${server}---\n${server}`)).rejects.toThrow('Server sales/orders  is there twice');
  });

  it('takes the header policy once, with neither workspace nor name', async () => {
    const policy = 'kind: HeaderPolicy\nmode: list\nlist: [X-Tenant]\n';
    const [document] = await check(`${server}---\n${policy}`);
    expect([document && titleOf(document), document?.body]).toEqual(['HeaderPolicy', { mode: 'list', list: ['X-Tenant'] }]);
    await expect(check(`${policy}---\n${policy}`)).rejects.toThrow('HeaderPolicy  is there twice');
    await expect(check(`${policy}workspace: default\n`)).rejects.toThrow('f.yaml:4  HeaderPolicy  /workspace  is not a known field');
    await expect(check(`${policy}name: global\n`)).rejects.toThrow('f.yaml:4  HeaderPolicy  /name  is not a known field');
    await expect(check(`${policy}restricted: ['(']\n`)).rejects.toThrow('f.yaml:4  HeaderPolicy  /restricted/0  is not a pattern');
  });

  it.each(documentKinds.map(({ kind }) => kind))('says of %s what the gateway would say: in words of our own', async (kind) => {
    const wrong = kind === 'HeaderPolicy' ? 'mode: list\nlist: 5\nmappings: [{}]\n' : 'type: mcp\nupstream: {}\nagentAuth: { type: passthrough, jwt: 5 }\nappAuth: { type: bearer }\noutboundHeaders: [{ name: X-A }]\n';
    const message = await check(`kind: ${kind}\n${wrong}`).then(() => '', (error: Error) => error.message);
    expect(message).toMatch(/ {2}\/name {2}is required|\/list {2}must be a list/);
    expect(message).not.toMatch(/Invalid|Unrecognized|expected|received/);
  });

  it('says which field is missing, within a union too', async () => {
    const lines = await check(`${server}appAuth: { type: api-key }\noutboundHeaders: [{ name: X-A }, { name: X-B, source: {} }]\n`).then(() => [], (error: Error) => error.message.split('\n').slice(1));
    expect(lines.map((line) => line.trim().split('  ').slice(2))).toEqual([
      ['/appAuth/name', 'is required'],
      ['/appAuth/in', 'is required'],
      ['/outboundHeaders/0/source', 'is required'],
      ['/outboundHeaders/1/source/type', 'is required'],
    ]);
  });

  it('refuses a file without documents', async () => {
    await expect(check('# nothing\n')).rejects.toThrow('There are no documents');
  });
});
