import type { StreamedBody } from '../pipeline/request.ts';

/**
 * A body that says once when nothing more of it comes.
 * @param onOver hears why where it broke off
 */
export function tracedBody(body: StreamedBody, onOver: (failed: string | undefined) => void): StreamedBody {
  let isOver = false;
  const over = (failed: string | undefined): void => {
    if (!isOver) onOver(failed);
    isOver = true;
  };
  return {
    pipe: (sink) =>
      body.pipe({
        write: (chunk) => sink.write(chunk),
        end: () => {
          over(undefined);
          sink.end();
        },
        fail: (error) => {
          over(error.code);
          sink.fail(error);
        },
      }),
    resume: () => body.resume(),
    abort: () => {
      // Nobody wants the rest, which is no failure of whoever sends it.
      over(undefined);
      body.abort();
    },
  };
}
