import { type GatewayError, toGatewayError } from '@gatehouse/errors';
import { EventStreamReader, type ServerSentEvent } from '@gatehouse/mcp-protocol';
import { readWhole } from '../pipeline/read-whole.ts';
import type { StreamedBody, UpstreamResponse } from '../pipeline/request.ts';
import { discard, isEventStream, isJson } from './answers.ts';

/** How a body ended. */
export interface BodyEnd {
  readonly failure: GatewayError | undefined;
  readonly lastEventId: string | undefined;
  readonly retryMs: number | undefined;
}

/**
 * Reads an event stream to its end, which may be far away.
 * @param onEvent answers whether it wants more for now; `resume` of the body goes on
 */
export function readEvents(body: StreamedBody, maxEventLength: number, onEvent: (event: ServerSentEvent) => boolean): Promise<BodyEnd> {
  const reader = new EventStreamReader(maxEventLength);
  return new Promise((resolve) => {
    const over = (failure?: GatewayError): void => resolve({ failure, lastEventId: reader.lastEventId, retryMs: reader.retryMs });
    body.pipe({
      write: (chunk) => {
        try {
          let wantsMore = true;
          for (const event of reader.push(chunk)) wantsMore = onEvent(event);
          return wantsMore;
        } catch (error) {
          over(toGatewayError(error));
          body.abort();
          return true;
        }
      },
      end: () => over(),
      fail: over,
    });
  });
}

const orderly: BodyEnd = { failure: undefined, lastEventId: undefined, retryMs: undefined };

/** Reads the messages of an answer, be it an event stream or one document, to its end. Anything else has none. */
export async function readMessages(response: UpstreamResponse, maxLength: number, onMessage: (text: string) => boolean): Promise<BodyEnd> {
  if (isEventStream(response)) {
    return readEvents(response.body, maxLength, ({ type, data }) => type !== 'message' || data === '' || onMessage(data));
  }
  if (!isJson(response)) {
    discard(response.body);
    return orderly;
  }
  try {
    onMessage(Buffer.concat(await readWhole(response.body, maxLength)).toString('utf8'));
    return orderly;
  } catch (error) {
    return { ...orderly, failure: toGatewayError(error) };
  }
}
