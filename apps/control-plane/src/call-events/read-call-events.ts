import { appendedCallEvent, type CallEvent } from './call-event.ts';

/** Why an event is not stored: it is none, it is older than what is kept or from a clock that is days ahead, the database does not take it. */
export const refusals = ['malformed', 'out_of_range', 'refused'] as const;

export type Refusal = (typeof refusals)[number];

export interface ReadCallEvents {
  readonly events: readonly CallEvent[];
  readonly refused: Readonly<Record<Refusal, number>>;
}

export interface KeptTime {
  /** Milliseconds since the epoch; exclusive. */
  readonly after: number;
  readonly before: number;
}

/** The events in batches of the stream. One that makes no sense costs nobody else anything. */
export function readCallEvents(batches: readonly string[], { after, before }: KeptTime): ReadCallEvents {
  const events: CallEvent[] = [];
  const refused = { malformed: 0, out_of_range: 0, refused: 0 };
  for (const candidate of batches.flatMap(candidatesIn)) {
    const { data: event } = appendedCallEvent.safeParse(candidate);
    if (event === undefined) refused.malformed += 1;
    else if (Date.parse(event.at) <= after || Date.parse(event.at) >= before) refused.out_of_range += 1;
    else events.push(event);
  }
  return { events, refused };
}

/** A batch that is no list counts as one event. */
function candidatesIn(batch: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(batch);
    return Array.isArray(parsed) ? parsed : [undefined];
  } catch {
    return [undefined];
  }
}
