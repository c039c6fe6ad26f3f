import { expect, test } from 'vitest';
import { namesInQuery, withoutNames } from './query-names.ts';

test.each(['tenant=evil', 'TENANT=evil', 't%65nant=evil', '+tenant=evil', 'tenant%20=evil', 'tenant[]=evil', 'tenant%5Bx%5D=evil', 'a=1;tenant=evil', 'tenant'])('%s is a spelling of tenant', (pair) => {
  expect(withoutNames(`a=b&${pair}&c`, namesInQuery('v=1&tenant=acme'))).toEqual(['a=b', 'c']);
});

test.each(['tenants=1', 'tenant.id=1', 'a=tenant', 'a=1;2;3', 'a[tenant]=1'])('%s is none', (pair) => {
  expect(withoutNames(pair, namesInQuery('v=1&tenant=acme'))).toEqual([pair]);
});
