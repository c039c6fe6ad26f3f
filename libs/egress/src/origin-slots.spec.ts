import { expect, it } from 'vitest';
import { OriginSlots } from './origin-slots.ts';

const setup = (running = 2, waiting = 2, waitingBytes = 100) => {
  const slots = new OriginSlots({ running, waiting, waitingBytes });
  const started: string[] = [];
  return { slots, started, enter: (name: string, bytes = 1, origin = 'a') => slots.enter(origin, bytes, () => void started.push(name)) };
};

it('starts as many as may run, the others in the order they came', () => {
  const { slots, started, enter } = setup();
  for (const name of ['1', '2', '3', '4']) enter(name);
  expect(started).toEqual(['1', '2']);
  slots.leave('a');
  slots.leave('a');
  expect(started).toEqual(['1', '2', '3', '4']);
});

it('turns away what is too much, by number and by bytes', () => {
  const { enter } = setup(1, 2, 100);
  enter('1');
  expect(enter('2', 90)).toBeTypeOf('function');
  expect(enter('3', 20)).toBe('full');
  expect(enter('4', 5)).toBeTypeOf('function');
  expect(enter('5', 0)).toBe('full');
});

it('forgets who gave up, and what it held', () => {
  const { slots, started, enter } = setup(1, 1, 100);
  enter('1');
  const giveUp = enter('2', 100);
  if (typeof giveUp === 'function') giveUp();
  if (typeof giveUp === 'function') giveUp();
  expect(enter('3', 100)).toBeTypeOf('function');
  slots.leave('a');
  expect(started).toEqual(['1', '3']);
});

it('keeps origins apart', () => {
  const { started, enter } = setup(1, 0);
  enter('1', 1, 'a');
  enter('2', 1, 'b');
  expect(started).toEqual(['1', '2']);
});

it('what leaves as it starts goes no deeper, however many there are', () => {
  const { slots, enter } = setup(1, 20_000);
  enter('1');
  let started = 0;
  let depth = 0;
  const failAtOnce = (): void => {
    started += 1;
    depth += 1;
    expect(depth).toBe(1);
    slots.leave('a');
    depth -= 1;
  };
  for (let count = 0; count < 20_000; count += 1) slots.enter('a', 0, failAtOnce);
  slots.leave('a');
  expect(started).toBe(20_000);
  // All places are free again.
  expect(slots.enter('a', 0, () => undefined)).toBeUndefined();
});

it('says what runs and waits, of all origins', () => {
  const { slots, enter } = setup(1, 2);
  enter('1');
  const giveUp = enter('2');
  enter('3', 1, 'b');
  expect(slots.load).toEqual({ running: 2, waiting: 1 });
  if (typeof giveUp === 'function') giveUp();
  slots.leave('a');
  slots.leave('b');
  expect(slots.load).toEqual({ running: 0, waiting: 0 });
});
