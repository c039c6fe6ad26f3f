import type { StreamedBody } from '../pipeline/request.ts';

/** A body that says once when nothing more of it comes: it has ended, failed, or nobody wants it. */
export function whenOver(body: StreamedBody, onOver: () => void): StreamedBody {
  let isOver = false;
  const over = (): void => {
    if (!isOver) onOver();
    isOver = true;
  };
  return {
    pipe: (sink) =>
      body.pipe({
        write: (chunk) => sink.write(chunk),
        end: () => {
          over();
          sink.end();
        },
        fail: (error) => {
          over();
          sink.fail(error);
        },
      }),
    resume: () => body.resume(),
    abort: () => {
      over();
      body.abort();
    },
  };
}
