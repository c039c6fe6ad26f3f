import { expect, it } from 'vitest';
import { InvalidSettingsError, readSettings, settingSchemas as schemas } from './settings.ts';

const settings = {
  SNAPSHOT_KEY: { schema: schemas.keys, secret: true, description: '' },
  EGRESS_ALLOWED_RANGES: { schema: schemas.addressRanges.default([]), description: '' },
};
const hexKey = (start: number): string => Buffer.from(Array.from({ length: 32 }, (_, index) => start + index)).toString('hex');
const [first, second] = [hexKey(0), hexKey(64)] as const;
const read = (key: string | undefined, ranges?: string) => readSettings(settings, { GATEHOUSE_SNAPSHOT_KEY: key, GATEHOUSE_EGRESS_ALLOWED_RANGES: ranges });

it('reads keys in their order, and ranges', () => {
  const { SNAPSHOT_KEY, EGRESS_ALLOWED_RANGES } = read(`${first},${second}`, 'loopback, 10.0.0.0/8');
  expect(SNAPSHOT_KEY.map((key) => key.toString('hex'))).toEqual([first, second]);
  expect(EGRESS_ALLOWED_RANGES).toEqual(['loopback', '10.0.0.0/8']);
});

it.each([
  ['no key', undefined, undefined, /^GATEHOUSE_SNAPSHOT_KEY is required$/],
  ['an empty one beside one', `${first},`, undefined, /^GATEHOUSE_SNAPSHOT_KEY needs 32 random bytes/],
  ['a default one', '0'.repeat(64), undefined, /^GATEHOUSE_SNAPSHOT_KEY is not random/],
  ['a short one', `${first.slice(2)}`, undefined, /^GATEHOUSE_SNAPSHOT_KEY needs 32 random bytes/],
  ['no range', first, 'loopback,10.0.0.1/8', /^GATEHOUSE_EGRESS_ALLOWED_RANGES must be/],
])('refuses %s and quotes nothing of it', (_, key, ranges, message) => {
  expect(() => read(key, ranges)).toThrowError(InvalidSettingsError);
  expect(() => read(key, ranges)).toThrowError(message);
  expect(() => read(key, ranges)).not.toThrowError(first.slice(4, 30));
});
