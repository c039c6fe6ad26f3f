import { GatewayError } from '@gatehouse/errors';
import { DatabaseError } from 'pg';
import { QueryFailedError } from 'typeorm';

/** SQLSTATE classes and codes that say "the server cannot at the moment": connection, resources, shutdown, timeout. */
const unavailable = /^(08|53|57P0|57014|58|25006)/;
/** Serialization failure, deadlock, lock timeout: the same change may succeed when it is tried again. */
const collided = new Set(['40001', '40P01', '55P03']);

/** What Postgres itself said, if the error is its. */
export function databaseErrorOf(error: unknown): DatabaseError | undefined {
  const driverError: unknown = error instanceof QueryFailedError ? error.driverError : error;
  return driverError instanceof DatabaseError ? driverError : undefined;
}

/** Whether the connection is of no more use: the driver gave up, it was not the server that answered. */
export const isConnectionFailure = (error: unknown): boolean => error instanceof QueryFailedError && databaseErrorOf(error) === undefined;

export function violates(error: unknown, constraint: string): boolean {
  return databaseErrorOf(error)?.constraint === constraint;
}

/** Whether the database could not answer at the moment. Of a commit, this says nothing of whether it was made. */
export function isUnavailable(error: unknown): boolean {
  const { code } = databaseErrorOf(error) ?? {};
  return isConnectionFailure(error) || (code !== undefined && unavailable.test(code));
}

/** An error of a statement, as the error it means to whoever asked. */
export function asGatewayError(error: unknown): unknown {
  if (isUnavailable(error)) return new GatewayError('database_unavailable', { cause: error });
  const { code } = databaseErrorOf(error) ?? {};
  if (code && collided.has(code)) return new GatewayError('conflict', { cause: error });
  return error;
}
