import { expect, it } from 'vitest';
import { apiOperation } from './api-operation.ts';
import { fixtureNames, importFixture } from './spec-support/fixtures.ts';
import { readWrittenOperations } from './written-operations.ts';

/** As they come out of the database and of a snapshot. */
const travelled = (operations: readonly object[]): unknown => JSON.parse(JSON.stringify(operations));
const checked = (operations: readonly object[]): unknown => apiOperation.array().parse(travelled(operations));

it.each(fixtureNames)('the tools of %s are what a snapshot holds', (name) => {
  const { operations } = importFixture(name);
  expect(checked(operations)).toEqual(travelled(operations));
});

it('so are those that are written out', () => {
  const written = readWrittenOperations([{ name: 'a', method: 'POST', path: '/a/{b}', parameters: [{ name: 'b', in: 'path', required: true }], body: { mediaType: 'text/plain' }, output: { properties: {} } }]);
  expect(checked(written)).toEqual(travelled(written));
});
