import type { BodySink, StreamedBody, UpstreamResponse } from '../pipeline/request.ts';
import type { MessageStream } from './message-stream.ts';

/* What a bridge answers in the place of an upstream. */

export const eventStream = (body: MessageStream, headers: UpstreamResponse['headers'] = {}): UpstreamResponse => ({
  status: 200,
  headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform', ...headers },
  body,
});

const nothing: StreamedBody = { pipe: (sink: BodySink) => sink.end(), resume: () => undefined, abort: () => undefined };

export const withoutContent = (status: 200 | 202): UpstreamResponse => ({ status, headers: { 'content-length': '0' }, body: nothing });

export const isAccepted = ({ status }: UpstreamResponse): boolean => status >= 200 && status < 300;

export const isEventStream = ({ headers }: UpstreamResponse): boolean => mediaType(headers).startsWith('text/event-stream');

export const isJson = ({ headers }: UpstreamResponse): boolean => mediaType(headers).startsWith('application/json');

const mediaType = (headers: UpstreamResponse['headers']): string => String(headers['content-type'] ?? '').toLowerCase();

/** Reads away a body that nobody wants, so that its connection can be used again; a long one costs the connection. */
export function discard(body: StreamedBody): void {
  let bytes = 0;
  body.pipe({
    write: (chunk) => {
      bytes += chunk.length;
      if (bytes > 65_536) body.abort();
      return true;
    },
    end: () => undefined,
    fail: () => undefined,
  });
}
