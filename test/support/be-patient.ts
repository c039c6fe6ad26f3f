import { vi } from 'vitest';

/* What is waited for comes as soon as it comes. How long that may take is the machine's affair: the usual second is no bound on a busy one. */

const patientMs = 60_000;
const patient = Symbol.for('gatehouse.patient');

type Waiting = typeof vi.waitFor & { [patient]?: true };

// Spec files of one worker share it.
if ((vi.waitFor as Waiting)[patient] !== true) {
  const { waitFor } = vi;
  const wait: Waiting = (callback, options) => {
    const { timeout = 0, ...others } = typeof options === 'object' ? options : { timeout: options };
    return waitFor(callback, { ...others, timeout: Math.max(timeout, patientMs) });
  };
  wait[patient] = true;
  vi.waitFor = wait;
}
