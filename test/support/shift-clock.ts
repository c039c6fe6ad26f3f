/*
 * Imported into a process before anything else (`shiftedClock`): its wall clock is wrong by what a file says, and steps when that
 * changes. What counts from some moment on (timers, performance.now) goes on as it does where a machine's clock is set.
 */
import { readFileSync } from 'node:fs';

const file = process.env['SHIFTED_CLOCK_FILE'] ?? '';
const everyMs = 20;

const realNow = Date.now;
let shiftMs = 0;
const read = (): void => void (shiftMs = Number(readFileSync(file, 'utf8')));
read();
setInterval(read, everyMs).unref();

Date.now = () => realNow() + shiftMs;
globalThis.Date = new Proxy(Date, {
  construct: (target, parameters: [], newTarget) => Reflect.construct(target, parameters.length === 0 ? [target.now()] : parameters, newTarget) as Date,
  apply: (target) => new target(target.now()).toString(),
});
