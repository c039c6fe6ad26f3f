import { GatewayError } from '@gatehouse/errors';
import { z } from 'zod';
import { queryText } from '../http/page.ts';
import type { CallEvent } from './call-event.ts';
import type { CallEventFilter, CallEventPosition } from './call-events.store.ts';

/** What cursors hold: milliseconds since the epoch, and the id. */
export const momentPosition = /^\d{1,15}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const positionOf = ({ at, id }: CallEvent): string => `${Date.parse(at)}.${id}`;

export function positionAt(position: string): CallEventPosition {
  const [ms = '', id = ''] = position.split('.');
  return { at: new Date(Number(ms)), id };
}

const moment = z.iso.datetime({ offset: true });

/** @throws GatewayError invalid_request */
export function readCallEventFilter(query: Readonly<Record<string, unknown>>): CallEventFilter {
  const text = (name: string): string | undefined => queryText(name, query[name]);
  return { workspace: text('workspace'), server: text('server'), caller: text('caller'), tool: text('tool'), outcome: text('outcome'), from: momentOf(query, 'from'), to: momentOf(query, 'to') };
}

function momentOf(query: Readonly<Record<string, unknown>>, name: string): Date | undefined {
  const text = queryText(name, query[name]);
  if (text === undefined) return undefined;
  if (!moment.safeParse(text).success) throw new GatewayError('invalid_request', { problems: [{ pointer: `/${name}`, detail: 'must be a moment as in RFC 3339, such as 2026-11-21T08:00:00Z', code: 'invalid_value' }] });
  return new Date(text);
}
