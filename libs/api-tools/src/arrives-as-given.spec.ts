import { mayHaveDotSegment } from '@gatehouse/config-fields';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ApiBody, ApiOperation, ApiParameter } from './api-operation.ts';
import { validateArguments } from './arguments/validate-arguments.ts';
import { isObject, type JsonObject } from './json-value.ts';
import { buildApiRequest } from './request/build-api-request.ts';
import { arbitraryValue } from './spec-support/arbitrary-value.ts';
import { fixtureNames, importFixture } from './spec-support/fixtures.ts';
import { type Arrived, RequestReader } from './spec-support/read-request.ts';

const base = new URL('https://api.example/base/v1');

/** What a URL or a form can say of a value: texts; what is null or empty is not there. */
function asText(value: unknown): Arrived {
  const text = (member: unknown): string => (typeof member === 'string' ? member : JSON.stringify(member));
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value)) {
    const present = value.filter((entry) => entry !== null).map(text);
    return present.length === 0 ? undefined : present;
  }
  if (!isObject(value)) return text(value);
  const present = Object.entries(value).filter(([, member]) => member !== null);
  return present.length === 0 ? undefined : Object.fromEntries(present.map(([key, member]) => [key, text(member)]));
}

const textsOf = (value: unknown): string[] => [asText(value) ?? ''].flat().flatMap((text) => (typeof text === 'string' ? text : Object.entries(text).flat()));

/** What may be refused, since it would be another path or no header: hostile-arguments.spec.ts is about these. */
function isSendable({ in: place, style, allowReserved }: ApiParameter, value: unknown): boolean {
  if (value === undefined) return true;
  // eslint-disable-next-line no-control-regex -- control characters are what this is about
  if (place === 'header') return textsOf(value).every((text) => !/[\x00-\x1f\x7f]/.test(text));
  if (style === 'pipeDelimited') return textsOf(value).every((text) => !text.includes('|'));
  // Its percent-encoded triples arrive as what they stand for.
  if (allowReserved === true) return textsOf(value).every((text) => !text.includes('%'));
  if (style === 'label' && textsOf(value).some((text) => /[./\\?#]/.test(text))) return false;
  return place === 'query' || textsOf(value).every((text) => text !== '' && !/%[2-7]/.test(text) && !mayHaveDotSegment(Buffer.from(text).toString('latin1')));
}

const argumentsOf = ({ inputSchema, parameters }: ApiOperation): fc.Arbitrary<JsonObject> =>
  arbitraryValue(inputSchema, isObject(inputSchema['$defs']) ? inputSchema['$defs'] : {}).filter((args) => isObject(args) && parameters.every((parameter) => isSendable(parameter, args[parameter.argument]))) as fc.Arbitrary<JsonObject>;

describe.each(fixtureNames)('every tool of %s sends its arguments as its specification says', (fixture) => {
  test.each(importFixture(fixture).operations.map((operation) => [operation.name, operation] as const))('%s', async (_name, operation) => {
    const problemsOf = validateArguments(operation);
    await fc.assert(
      fc.asyncProperty(argumentsOf(operation), async (args) => {
        fc.pre(problemsOf(args).length === 0);
        const request = buildApiRequest(operation, args, base);
        expect(request.method).toBe(operation.method);
        const reader = new RequestReader(operation, request, '/base/v1');
        for (const parameter of operation.parameters) {
          const value = args[parameter.argument];
          const arrived = reader.parameter(parameter, value);
          if (parameter.json === true) expect(arrived === undefined ? undefined : JSON.parse(arrived as string)).toEqual(value);
          else if (parameter.in === 'header') expect(arrived ?? '').toBe(textsOf(value).join(','));
          else expect(arrived).toEqual(asText(value));
        }
        expect(reader.strayQueryNames(new Set(operation.parameters.map(({ name }) => name.replace(/\[.*/s, ''))))).toEqual([]);
        await expectBody(operation.body, args, reader);
      }),
      { numRuns: 60 },
    );
  });
});

async function expectBody(body: ApiBody | undefined, args: JsonObject, reader: RequestReader): Promise<void> {
  const given = body && valueOf(body, args);
  if (body === undefined || given === undefined) {
    expect([reader.body, reader.contentType]).toEqual([undefined, undefined]);
    return;
  }
  expect(reader.contentType?.split(';')[0]).toBe(body.kind === 'binary' && isObject(given) && given['contentType'] !== undefined ? given['contentType'] : body.mediaType);
  switch (body.kind) {
    case 'json':
      expect(JSON.parse(reader.body as string)).toEqual(given);
      break;
    case 'text':
      expect(reader.body).toBe(given);
      break;
    case 'binary':
      expect((reader.body as Buffer).toString('base64')).toBe((given as { base64: string }).base64);
      break;
    case 'form':
      expectForm(body, given as JsonObject, reader.body as string);
      break;
    case 'multipart':
      await expectMultipart(body, given as JsonObject, new Response(reader.body as Buffer<ArrayBuffer>, { headers: { 'content-type': reader.contentType ?? '' } }));
  }
}

function valueOf({ argument, fields = [], required }: ApiBody, args: JsonObject): unknown {
  if (argument !== undefined) return args[argument];
  const members = fields.flatMap(({ argument: from, name }) => (args[from] === undefined ? [] : [[name, args[from]] as const]));
  return members.length === 0 && !required ? undefined : Object.fromEntries(members);
}

function expectForm({ fields = [] }: ApiBody, given: JsonObject, text: string): void {
  const pairs = [...new URLSearchParams(text)];
  for (const [name, value] of Object.entries(given)) {
    const style = fields.find((field) => field.name === name)?.encoding?.style;
    const ofName = pairs.filter(([key]) => key === name).map(([, entry]) => entry);
    if (style === 'deepObject' && isObject(value)) expect(Object.fromEntries(pairs.filter(([key]) => key.startsWith(`${name}[`)).map(([key, entry]) => [key.slice(name.length + 1, -1), entry]))).toEqual(asText(value) ?? {});
    else if (style === 'deepObject' && Array.isArray(value)) expect(pairs.filter(([key]) => key.startsWith(`${name}[`)).map(([, entry]) => entry)).toEqual(asText(value) ?? []);
    else if (isObject(value)) expect(JSON.parse(ofName[0] ?? '')).toEqual(value);
    else expect(ofName).toEqual([asText(value) ?? []].flat());
  }
  expect(new Set(pairs.map(([key]) => key.replace(/\[.*/s, '')))).toEqual(new Set(pairs.map(([key]) => key.replace(/\[.*/s, '')).filter((key) => key in given)));
}

async function expectMultipart({ fields = [] }: ApiBody, given: JsonObject, response: Response): Promise<void> {
  const entries = Object.entries(given).flatMap(([name, value]) => [value].flat().filter((entry: unknown) => entry !== null).map((entry: unknown) => [name, entry] as const));
  // The platform’s own reader knows no form without a part.
  if (entries.length === 0) return;
  const form = await response.formData();
  expect([...form.keys()].sort()).toEqual(entries.map(([name]) => name).sort());
  const seen = new Map<string, number>();
  for (const [name, entry] of entries) {
    const index = seen.get(name) ?? 0;
    seen.set(name, index + 1);
    const part = form.getAll(name)[index];
    if (fields.find((field) => field.name === name)?.file === true) expect(Buffer.from(await (part as File).arrayBuffer()).toString('base64')).toBe((entry as { base64: string }).base64);
    else expect(typeof part === 'string' ? part : await part?.text()).toBe(typeof entry === 'string' ? entry : JSON.stringify(entry));
  }
}
