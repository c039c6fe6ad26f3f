import { type ErrorCode, GatewayError } from '@gatehouse/errors';
import { expect, it } from 'vitest';
import { type Attempt, CircuitBreakers, CircuitOpenError } from './circuit-breakers.ts';

const origin = 'https://a.example';
const minute = 60_000;

function setup(failures = 3, openMs = 5_000) {
  let now = 1_000;
  const changes: string[] = [];
  const circuits = new CircuitBreakers({ failures, openMs, now: () => now, onChange: (of, state) => void changes.push(`${of} ${state}`) });
  const begin = (key = origin): Attempt => circuits.begin(key, key);
  return {
    circuits,
    changes,
    begin,
    pass: (ms: number) => void (now += ms),
    fail: (code: ErrorCode = 'upstream_unreachable', key = origin) => begin(key).failed(new GatewayError(code)),
    failTimes: (times: number) => {
      for (let count = 0; count < times; count += 1) begin().failed(new GatewayError('upstream_timeout'));
    },
    isOpen: (key = origin): boolean => {
      const isRefused = circuits.refusal(key) instanceof CircuitOpenError;
      if (isRefused) expect(() => begin(key)).toThrowError(expect.objectContaining({ code: 'upstream_circuit_open' }));
      return isRefused;
    },
  };
}

it('opens after so many failures in a row, and not before', () => {
  const { failTimes, isOpen, circuits, changes } = setup(3);
  failTimes(2);
  expect([isOpen(), circuits.openCount]).toEqual([false, 0]);
  failTimes(1);
  expect([isOpen(), circuits.openCount, changes]).toEqual([true, 1, [`${origin} open`]]);
});

it('an answer starts the count anew', () => {
  const { failTimes, begin, isOpen, circuits } = setup(3);
  failTimes(2);
  begin().succeeded();
  expect(circuits.size).toBe(0);
  failTimes(2);
  expect(isOpen()).toBe(false);
});

it.each<[ErrorCode, boolean]>([
  ['upstream_unreachable', true],
  ['upstream_timeout', true],
  ['upstream_failed', true],
  ['caller_disconnected', false],
  ['upstream_address_refused', false],
  ['upstream_busy', false],
  ['internal', false],
])('%s: the upstream’s failure is %s', (code, counts) => {
  const { fail, isOpen, circuits } = setup(1);
  fail(code);
  expect([isOpen(), circuits.size]).toEqual([counts, counts ? 1 : 0]);
});

it('says how long it stays open, then lets one through', () => {
  const { failTimes, begin, pass, circuits, isOpen, changes } = setup(3, 5_000);
  failTimes(3);
  pass(1_500);
  expect(circuits.refusal(origin)).toMatchObject({ retryAfterMs: 3_500 });
  pass(3_500);
  expect(circuits.refusal(origin)).toBeUndefined();
  const trial = begin();
  // One only, as long as it is under way.
  expect(isOpen()).toBe(true);
  pass(minute);
  expect(isOpen()).toBe(true);
  trial.succeeded();
  expect([isOpen(), circuits.size, circuits.openCount]).toEqual([false, 0, 0]);
  expect(changes).toEqual([`${origin} open`, `${origin} half-open`, `${origin} closed`]);
});

it('stays open twice as long after each trial that fails, up to a minute', () => {
  const { failTimes, fail, pass, circuits } = setup(3, 5_000);
  failTimes(3);
  const intervals = Array.from({ length: 6 }, () => {
    const { retryAfterMs = 0 } = circuits.refusal(origin) ?? {};
    pass(retryAfterMs);
    fail();
    return retryAfterMs;
  });
  expect(intervals).toEqual([5_000, 10_000, 20_000, 40_000, minute, minute]);
});

it('a trial whose caller leaves says nothing: the next one is a trial', () => {
  const { failTimes, begin, fail, pass, isOpen, changes } = setup(3, 5_000);
  failTimes(3);
  pass(5_000);
  fail('caller_disconnected');
  expect(isOpen()).toBe(false);
  const trial = begin();
  expect(isOpen()).toBe(true);
  trial.failed(new GatewayError('upstream_failed'));
  expect(isOpen()).toBe(true);
  expect(changes).toEqual([`${origin} open`, `${origin} half-open`, `${origin} open`]);
});

it('requests that began before it opened: their failures change nothing, an answer closes it', () => {
  const { begin, failTimes, pass, circuits, isOpen } = setup(3, 5_000);
  const [early, late] = [begin(), begin()];
  failTimes(3);
  pass(1_000);
  early.failed(new GatewayError('upstream_timeout'));
  expect(circuits.refusal(origin)).toMatchObject({ retryAfterMs: 4_000 });
  late.succeeded();
  expect(isOpen()).toBe(false);
});

it('keeps ways of connecting apart', () => {
  const { fail, isOpen } = setup(1);
  fail('upstream_unreachable', 'a with one certificate');
  expect([isOpen('a with one certificate'), isOpen('a with another')]).toEqual([true, false]);
});

it('remembers no origin that has not failed lately', () => {
  const { circuits, fail, pass, changes } = setup(1);
  for (let count = 0; count < 100; count += 1) fail('upstream_unreachable', `https://${count}.example`);
  expect([circuits.size, circuits.openCount]).toEqual([100, 100]);
  pass(9 * minute);
  fail('upstream_unreachable', 'https://later.example');
  pass(2 * minute);
  expect([circuits.size, circuits.openCount]).toEqual([1, 1]);
  expect(changes.filter((change) => change.endsWith(' closed'))).toHaveLength(100);
});

it('0 turns it off', () => {
  const { failTimes, isOpen, circuits } = setup(0);
  failTimes(100);
  expect([isOpen(), circuits.size]).toEqual([false, 0]);
});
