import { Readable } from 'node:stream';
import type { UploadStream } from '../pipeline/request.ts';

/** A request's body as undici takes it. It is read once undici has a connection, and no faster than the upstream reads. */
export function uploadReadable(body: UploadStream): Readable {
  const readable = new Readable({
    // A piece of the caller's at a time: what waits for the upstream waits at the caller.
    highWaterMark: 16_384,
    read: () => (body.isTaken ? body.resume() : body.pipe(sink)),
    destroy: (error, callback) => {
      body.abort();
      callback(error);
    },
  });
  const sink = {
    write: (chunk: Buffer): boolean => readable.push(chunk),
    end: () => void readable.push(null),
    fail: (error: Error) => void readable.destroy(error),
  };
  // undici listens for as long as it reads; a caller that leaves after that is nobody's error, and must not be the process's.
  readable.on('error', () => undefined);
  return readable;
}
