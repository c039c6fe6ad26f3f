import type { GatewayError } from '@gatehouse/errors';
import type { BodySink, StreamedBody } from './request.ts';

/** What stands between a body and where it goes. Each method is given the sink behind it. */
export interface BodyFilter {
  write(chunk: Buffer, sink: BodySink): boolean;
  /** What it was written to wants more again. */
  resumed?(): void;
  /** Once, when nothing more comes: it ended, failed, or was aborted. */
  over?(): void;
}

/** A body that passes through a filter, which is made when the body begins to flow. */
export function mapBody(body: StreamedBody, makeFilter: (sink: BodySink) => BodyFilter): StreamedBody {
  let filter: BodyFilter | undefined;
  const over = (): void => {
    filter?.over?.();
    filter = undefined;
  };
  return {
    pipe: (sink) => {
      const own = (filter = makeFilter(sink));
      body.pipe({
        write: (chunk) => own.write(chunk, sink),
        end: () => {
          over();
          sink.end();
        },
        fail: (error: GatewayError) => {
          over();
          sink.fail(error);
        },
      });
    },
    resume: () => {
      filter?.resumed?.();
      body.resume();
    },
    abort: () => {
      over();
      body.abort();
    },
  };
}
