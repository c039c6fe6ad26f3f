import { GatewayError } from '@gatehouse/errors';

export interface PageQuery {
  readonly limit: number;
  /** The position after which the page begins. */
  readonly after: string | undefined;
}

export interface Page<Item> {
  readonly items: Item[];
  readonly nextCursor?: string;
}

const defaultLimit = 50;
const maxLimit = 200;

/** @throws GatewayError invalid_request */
export function readPageQuery(limit: string | undefined, cursor: string | undefined): PageQuery {
  const count = limit === undefined ? defaultLimit : /^\d{1,6}$/.test(limit) ? Number(limit) : 0;
  if (count < 1 || count > maxLimit) throw badParameter('limit', `must be a whole number from 1 to ${maxLimit}`);
  return { limit: count, after: cursor === undefined ? undefined : positionOf(cursor) };
}

/** A page of rows, of which one more than `limit` was read to know whether there is another page. */
export function pageOf<Row, Item>(rows: readonly Row[], limit: number, position: (row: Row) => string, present: (row: Row) => Item): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next = rows.length > limit && last !== undefined ? { nextCursor: Buffer.from(`1${position(last)}`).toString('base64url') } : {};
  return { items: shown.map(present), ...next };
}

function positionOf(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!/^1[\w-]{1,100}$/.test(text)) throw badParameter('cursor', 'is not one that this API gave out');
  return text.slice(1);
}

const badParameter = (name: string, detail: string): GatewayError =>
  new GatewayError('invalid_request', { problems: [{ pointer: `/${name}`, detail, code: 'invalid_value' }] });
