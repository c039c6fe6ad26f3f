/** Whoever scrapes waits for the whole page. */
const maxMs = 2_000;

/** An answer, or `undefined` where it fails or does not come in two seconds: a number that is not known is absent. */
export async function inTime<T>(answer: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), maxMs);
  });
  const answered = await Promise.race([answer.catch(() => undefined), timeout]);
  clearTimeout(timer);
  return answered;
}
