import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import type { Reply } from '../pipeline/request.ts';
import { OpenStreams } from './open-streams.ts';

function answer() {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  const counts = { aborts: 0 };
  const reply: Reply = { status: 200, headers: [], body: { pipe: () => undefined, resume: () => undefined, abort: () => void (counts.aborts += 1) } };
  return { response, reply, counts };
}

it('ends streams that only listen, as long as they are open', () => {
  const streams = new OpenStreams(() => true);
  const [open, closed] = [answer(), answer()];
  for (const { response, reply } of [open, closed]) streams.add(response, reply, true, false);
  closed.response.emit('close');
  streams.endListening();
  expect([open.counts.aborts, closed.counts.aborts]).toEqual([1, 0]);
});

it('keeps none whose caller was gone before it began', () => {
  const streams = new OpenStreams(() => true);
  const gone = answer();
  gone.response.destroy();
  streams.add(gone.response, gone.reply, true, false);
  streams.endListening();
  expect(gone.counts.aborts).toBe(0);
});
