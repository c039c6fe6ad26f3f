import { type ErrorCode, GatewayError } from '@gatehouse/errors';
import { describe, expect, it } from 'vitest';
import { type Attempt, CircuitBreakers, CircuitOpenError, type CircuitTarget } from './circuit-breakers.ts';

const origin = 'https://a.example';
const to: CircuitTarget = { key: `${origin} 5000 `, origin, server: 'default/one' };
const toOther: CircuitTarget = { ...to, server: 'rival/two' };
const minute = 60_000;

const unreachable = new GatewayError('upstream_unreachable');
const noAnswer = new GatewayError('upstream_timeout', { cause: Object.assign(new Error(), { code: 'UND_ERR_HEADERS_TIMEOUT' }) });
const noConnection = new GatewayError('upstream_timeout', { cause: Object.assign(new Error(), { code: 'UND_ERR_CONNECT_TIMEOUT' }) });

function setup(failures = 3, openMs = 5_000) {
  let now = 1_000;
  const changes: string[] = [];
  const circuits = new CircuitBreakers({ failures, openMs, now: () => now, onChange: ({ origin: of, server = '-' }, state) => void changes.push(`${of} ${server} ${state}`) });
  const begin = (target = to): Attempt => circuits.begin(target);
  const connect = (target = to): Attempt => {
    const attempt = begin(target);
    attempt.connected();
    return attempt;
  };
  const times = (count: number, one: () => void): void => {
    for (let done = 0; done < count; done += 1) one();
  };
  return {
    circuits,
    changes,
    begin,
    connect,
    pass: (ms: number) => void (now += ms),
    /** Requests that get no connection. */
    failToConnect: (count: number, target = to, error = unreachable) => times(count, () => begin(target).failed(error)),
    /** Requests that get a connection and no answer. */
    failToAnswer: (count: number, target = to, error = noAnswer) => times(count, () => connect(target).failed(error)),
    isOpen: (target = to): boolean => {
      const isRefused = circuits.refusal(target) instanceof CircuitOpenError;
      if (isRefused) expect(() => begin(target)).toThrowError(expect.objectContaining({ code: 'upstream_circuit_open' }));
      return isRefused;
    },
  };
}

describe.each([
  ['of an origin', '-', 'failToConnect'],
  ['of a server', 'default/one', 'failToAnswer'],
] as const)('a circuit %s', (_, name, fail) => {
  it('opens after so many failures in a row, and not before', () => {
    const { [fail]: failTimes, isOpen, circuits, changes } = setup(3);
    failTimes(2);
    expect([isOpen(), circuits.openCount]).toEqual([false, 0]);
    failTimes(1);
    expect([isOpen(), circuits.openCount, changes]).toEqual([true, 1, [`${origin} ${name} open`]]);
  });

  it('an answer starts the count anew', () => {
    const { [fail]: failTimes, begin, isOpen, circuits } = setup(3);
    failTimes(2);
    begin().succeeded();
    expect(circuits.size).toBe(0);
    failTimes(2);
    expect(isOpen()).toBe(false);
  });

  it('says how long it stays open, then lets one through', () => {
    const { [fail]: failTimes, begin, pass, circuits, isOpen, changes } = setup(3, 5_000);
    failTimes(3);
    pass(1_500);
    expect(circuits.refusal(to)).toMatchObject({ retryAfterMs: 3_500 });
    pass(3_500);
    expect(circuits.refusal(to)).toBeUndefined();
    const trial = begin();
    // One only, as long as it is under way.
    expect(isOpen()).toBe(true);
    pass(minute);
    expect(isOpen()).toBe(true);
    trial.succeeded();
    expect([isOpen(), circuits.size, circuits.openCount]).toEqual([false, 0, 0]);
    expect(changes).toEqual(['open', 'half-open', 'closed'].map((state) => `${origin} ${name} ${state}`));
  });

  it('stays open twice as long after each trial that fails, up to a minute', () => {
    const { [fail]: failTimes, pass, circuits } = setup(3, 5_000);
    failTimes(3);
    const intervals = Array.from({ length: 6 }, () => {
      const { retryAfterMs = 0 } = circuits.refusal(to) ?? {};
      pass(retryAfterMs);
      failTimes(1);
      return retryAfterMs;
    });
    expect(intervals).toEqual([5_000, 10_000, 20_000, 40_000, minute, minute]);
  });

  it('a trial whose caller leaves says nothing: the next one is a trial', () => {
    const { [fail]: failTimes, begin, pass, isOpen, changes } = setup(3, 5_000);
    failTimes(3);
    pass(5_000);
    begin().failed(new GatewayError('caller_disconnected'));
    expect(isOpen()).toBe(false);
    failTimes(1);
    expect(isOpen()).toBe(true);
    expect(changes).toEqual(['open', 'half-open', 'open'].map((state) => `${origin} ${name} ${state}`));
  });

  it('requests that began before it opened: their failures change nothing, an answer closes it', () => {
    const { begin, [fail]: failTimes, pass, circuits, isOpen } = setup(3, 5_000);
    const [early, late] = [begin(), begin()];
    failTimes(3);
    pass(1_000);
    if (fail === 'failToAnswer') early.connected();
    early.failed(fail === 'failToAnswer' ? noAnswer : unreachable);
    expect(circuits.refusal(to)).toMatchObject({ retryAfterMs: 4_000 });
    late.succeeded();
    expect(isOpen()).toBe(false);
  });

  it('0 turns it off', () => {
    const { [fail]: failTimes, isOpen, circuits } = setup(0);
    failTimes(100);
    expect([isOpen(), circuits.size]).toEqual([false, 0]);
  });
});

describe('no connection', () => {
  it.each([['refused', unreachable], ['not in time', noConnection]])('%s: is the same for every server of the origin, and for who names none', (_, error) => {
    const { failToConnect, isOpen } = setup(3);
    failToConnect(2, to, error);
    failToConnect(1, toOther, error);
    expect([isOpen(), isOpen(toOther), isOpen({ key: to.key, origin })]).toEqual([true, true, true]);
  });

  it('keeps ways of connecting apart', () => {
    const { failToConnect, isOpen } = setup(1);
    failToConnect(1);
    expect([isOpen(), isOpen({ ...to, key: `${origin} 1 ` })]).toEqual([true, false]);
  });

  it('a connection closes it, whosever it is, before there is an answer', () => {
    const { failToConnect, begin, pass, isOpen } = setup(3, 5_000);
    failToConnect(3);
    pass(5_000);
    const trial = begin(toOther);
    expect(isOpen()).toBe(true);
    trial.connected();
    expect(isOpen()).toBe(false);
    trial.failed(noAnswer);
    expect(isOpen()).toBe(false);
  });

  it('a connection says so also where its caller has left meanwhile', () => {
    const { failToConnect, begin, pass, circuits } = setup(3, 5_000);
    failToConnect(3);
    pass(5_000);
    const trial = begin();
    trial.failed(new GatewayError('caller_disconnected'));
    trial.connected();
    expect(circuits.size).toBe(0);
  });

  it('is not said of an origin by a server that did not wait for it', () => {
    const { begin, isOpen } = setup(1);
    begin().failed(new GatewayError('upstream_timeout'));
    expect([isOpen(), isOpen(toOther)]).toEqual([true, false]);
  });
});

describe('no answer', () => {
  it.each<ErrorCode>(['upstream_timeout', 'upstream_failed', 'upstream_unreachable'])('%s: concerns its server and no other', (code) => {
    const { failToAnswer, isOpen } = setup(3);
    failToAnswer(3, toOther, new GatewayError(code));
    expect([isOpen(toOther), isOpen()]).toEqual([true, false]);
  });

  it('a server’s trial keeps out no other server', () => {
    const { failToAnswer, connect, pass, isOpen } = setup(3, 5_000);
    failToAnswer(3);
    failToAnswer(3, toOther);
    pass(5_000);
    connect(toOther);
    expect([isOpen(toOther), isOpen()]).toEqual([true, false]);
  });

  it('an answer to one server says nothing of another', () => {
    const { failToAnswer, begin, isOpen } = setup(3, 5_000);
    failToAnswer(3);
    begin(toOther).succeeded();
    expect(isOpen()).toBe(true);
  });

  it('of who only listens is none: neither what it waits for, nor what it gets', () => {
    const { failToAnswer, connect, circuits, pass, isOpen } = setup(3, 5_000);
    const listening = { ...to, listens: true };
    failToAnswer(20, listening);
    expect(circuits.size).toBe(0);
    failToAnswer(2);
    connect(listening).succeeded();
    failToAnswer(1);
    expect([isOpen(), isOpen(listening)]).toEqual([true, true]);
    // Nor is it a trial: that one might take for ever.
    pass(5_000);
    connect(listening);
    connect();
    expect([isOpen(), isOpen(listening)]).toEqual([true, false]);
  });

  it('where the connection breaks under a large body is the body’s doing', () => {
    const { failToAnswer, circuits, isOpen } = setup(3);
    failToAnswer(3, { ...to, hasLargeBody: true }, new GatewayError('upstream_failed'));
    expect(circuits.size).toBe(0);
    failToAnswer(3, { ...to, hasLargeBody: true });
    expect(isOpen()).toBe(true);
  });

  it('is not counted where no server is named', () => {
    const { failToAnswer, circuits } = setup(1);
    failToAnswer(3, { key: to.key, origin });
    expect(circuits.size).toBe(0);
  });
});

it.each<ErrorCode>(['caller_disconnected', 'upstream_address_refused', 'upstream_busy', 'internal'])('%s is no failure of the upstream', (code) => {
  const { failToConnect, failToAnswer, circuits } = setup(1);
  failToConnect(3, to, new GatewayError(code));
  failToAnswer(3, to, new GatewayError(code));
  expect(circuits.size).toBe(0);
});

it('what is said of an end after the first counts no more', () => {
  const { connect, circuits } = setup(1);
  const attempt = connect();
  attempt.failed(new GatewayError('caller_disconnected'));
  attempt.failed(noAnswer);
  expect(circuits.size).toBe(0);
});

describe('memory', () => {
  const toNumber = (number: number): CircuitTarget => ({ key: `https://${number}.example`, origin: `https://${number}.example`, server: `default/${number}` });

  it('has nothing of what has not failed lately', () => {
    const { circuits, failToConnect, failToAnswer, pass, changes } = setup(1);
    for (let number = 0; number < 100; number += 1) (number < 50 ? failToConnect : failToAnswer)(1, toNumber(number));
    expect([circuits.size, circuits.openCount]).toEqual([100, 100]);
    pass(9 * minute);
    failToConnect(1, toNumber(100));
    pass(2 * minute);
    expect([circuits.size, circuits.openCount]).toEqual([1, 1]);
    expect(changes.filter((change) => change.endsWith(' closed'))).toHaveLength(100);
  });

  it('has a bound: what failed longest ago goes first', () => {
    const { circuits, failToAnswer, isOpen } = setup(1);
    for (let number = 0; number < 20_010; number += 1) failToAnswer(1, toNumber(number));
    expect([circuits.size, circuits.openCount]).toEqual([20_000, 20_000]);
    expect([9, 10].map((number) => isOpen(toNumber(number)))).toEqual([false, true]);
  });
});
