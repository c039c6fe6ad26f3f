/** Which trace something is part of, as it crosses between processes (W3C Trace Context). */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits: of the span that whoever hears this is a child of. */
  readonly spanId: string;
  /** Whether it is kept, as far as whoever says so knows. */
  readonly isSampled: boolean;
  /** Whether its id is known to be random (W3C Trace Context level 2): that goes on with the id. */
  readonly isRandom: boolean;
}

// W3C Trace Context section 3.2.2: no id is all zeros, version ff is none, and a later version may say more at the end.
const shape = /^(?:00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}|(?!00|ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[\x21-\x7e]*)?)$/;

const sampledFlag = 1;
const randomFlag = 2;

/** @returns `undefined` for what is none */
export function readTraceparent(text: string | undefined): TraceContext | undefined {
  if (text === undefined || !shape.test(text)) return undefined;
  const flags = Number.parseInt(text.slice(53, 55), 16);
  return { traceId: text.slice(3, 35), spanId: text.slice(36, 52), isSampled: (flags & sampledFlag) !== 0, isRandom: (flags & randomFlag) !== 0 };
}

/** In version 00, which is always 55 characters long. */
export const formatTraceparent = ({ traceId, spanId, isSampled, isRandom }: TraceContext): string => `00-${traceId}-${spanId}-0${(isSampled ? sampledFlag : 0) | (isRandom ? randomFlag : 0)}`;
