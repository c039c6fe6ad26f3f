/** More than timers are ever late in a process that is awake. */
const asleepMs = 500;
const secondChanceMs = 1_000;

/**
 * A signal that aborts after so many milliseconds. Where the whole process was stopped meanwhile, what has come in the meantime is
 * read first: an answer with a new refresh token is not to be thrown away because nobody was awake to take it.
 */
export function patientTimeout(timeoutMs: number): { readonly signal: AbortSignal; readonly clear: () => void } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout;
  const arm = (ms: number): void => {
    const dueAt = performance.now() + ms;
    timer = setTimeout(() => {
      if (performance.now() - dueAt > asleepMs) arm(secondChanceMs);
      else controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
    }, ms);
  };
  arm(timeoutMs);
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}
