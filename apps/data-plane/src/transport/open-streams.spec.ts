import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { prepareServer } from '@gatehouse/upstream-request';
import { expect, it, vi } from 'vitest';
import { AnswerStream } from '../pipeline/answer-stream.ts';
import type { Reply } from '../pipeline/request.ts';
import { OpenStreams, openAfterExpiryMs } from './open-streams.ts';

function answer(admission?: Reply['admission']) {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  const counts = { aborts: 0 };
  const reply: Reply = { status: 200, headers: [], onlyListens: true, ...(admission && { admission }), body: { pipe: () => undefined, resume: () => undefined, abort: () => void (counts.aborts += 1) } };
  return { response, reply, counts };
}

it('ends streams that only listen, as long as they are open', () => {
  const streams = new OpenStreams(() => true);
  const [open, closed] = [answer(), answer()];
  for (const { response, reply } of [open, closed]) streams.add(response, reply, false);
  closed.response.emit('close');
  streams.endListening();
  expect([open.counts.aborts, closed.counts.aborts]).toEqual([1, 0]);
});

it('lets the next answer pass on a stream on which they come, and ends it then', async () => {
  const streams = new OpenStreams(() => true);
  const { response, reply, counts } = answer();
  const answers = new AnswerStream();
  streams.add(response, { ...reply, answers }, false);
  streams.endListening(60_000);
  const passes = (text: string): Promise<void> => {
    answers.passed(Buffer.from(text));
    return new Promise((resolve) => void setImmediate(resolve));
  };
  await passes('event: message\ndata: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}\n\n');
  await passes('event: message\ndata: {"jsonrpc":"2.0","id":7,"method":"sampling/createMessage","params":{}}\n\n');
  await passes('event: message\ndata: {"jsonrpc":"2.0","id":1,"result"');
  expect([response.writableEnded, counts.aborts]).toEqual([false, 0]);
  await passes('event: message\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\n\n');
  expect([response.writableEnded, counts.aborts]).toEqual([true, 1]);
});

it('waits for no answer longer than it is told to', () => {
  vi.useFakeTimers();
  try {
    const streams = new OpenStreams(() => true);
    const { response, reply, counts } = answer();
    streams.add(response, { ...reply, answers: new AnswerStream() }, false);
    streams.endListening(10_000);
    vi.advanceTimersByTime(9_999);
    expect(counts.aborts).toBe(0);
    vi.advanceTimersByTime(1);
    expect(counts.aborts).toBe(1);
  } finally {
    vi.useRealTimers();
  }
});

it('keeps none whose caller was gone before it began', () => {
  const streams = new OpenStreams(() => true);
  const gone = answer();
  gone.response.destroy();
  streams.add(gone.response, gone.reply, false);
  streams.endListening();
  expect(gone.counts.aborts).toBe(0);
});

it('ends those of a person a day after the token has expired, whoever still admits them', () => {
  vi.useFakeTimers();
  try {
    const streams = new OpenStreams(() => true);
    const server = prepareServer('id', 'w', { type: 'mcp', name: 'orders', upstream: { url: 'https://up.example/mcp' }, agentAuth: { type: 'interactive' }, appAuth: { type: 'none' } });
    const of = (kind: 'person' | 'token') => answer({ server, caller: { id: kind, kind, name: kind, groups: [], expiresAt: Date.now() + 300_000 } });
    const [person, program, closed] = [of('person'), of('token'), of('person')];
    for (const { response, reply } of [person, program, closed]) streams.add(response, reply, false);
    closed.response.emit('close');
    vi.advanceTimersByTime(openAfterExpiryMs + 299_999);
    expect(person.counts.aborts).toBe(0);
    vi.advanceTimersByTime(1);
    expect([person, program, closed].map(({ counts }) => counts.aborts)).toEqual([1, 0, 0]);
  } finally {
    vi.useRealTimers();
  }
});
