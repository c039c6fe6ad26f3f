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
const cursorFormat = '1';
/** What cursors of a list hold: the last name, number or id. */
const namePosition = /^[a-z0-9-]{1,63}$/;
export const numberPosition = /^\d{1,15}$/;
export const idPosition = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** @throws GatewayError invalid_request */
export function readPageQuery(limitParameter: unknown, cursorParameter: unknown, positions = namePosition): PageQuery {
  const limit = queryText('limit', limitParameter);
  const cursor = queryText('cursor', cursorParameter);
  const count = limit === undefined ? defaultLimit : /^\d{1,6}$/.test(limit) ? Number(limit) : 0;
  if (count < 1 || count > maxLimit) throw badParameter('limit', `must be a whole number from 1 to ${maxLimit}`);
  return { limit: count, after: cursor === undefined ? undefined : positionOf(cursor, positions) };
}

/** A parameter of the query, which may have been sent more than once. @throws GatewayError invalid_request */
export function queryText(name: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw badParameter(name, 'must be sent once');
  if (value.includes('\0')) throw badParameter(name, 'is not valid');
  return value;
}

/** A page of rows, of which one more than `limit` was read to know whether there is another page. */
export function pageOf<Row, Item>(rows: readonly Row[], limit: number, position: (row: Row) => string, present: (row: Row) => Item): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next = rows.length > limit && last !== undefined ? { nextCursor: Buffer.from(`${cursorFormat}${position(last)}`).toString('base64url') } : {};
  return { items: shown.map(present), ...next };
}

function positionOf(cursor: string, positions: RegExp): string {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!text.startsWith(cursorFormat) || !positions.test(text.slice(1))) throw badParameter('cursor', 'is not one that this API gave out');
  return text.slice(1);
}

const badParameter = (name: string, detail: string): GatewayError =>
  new GatewayError('invalid_request', { problems: [{ pointer: `/${name}`, detail, code: 'invalid_value' }] });
