/** The way out of every failure of the embedded server. */
const INSTEAD = 'set GATEHOUSE_DATABASE_URL to use a Postgres of your own';

export class EmbeddedPostgresUnsupported extends Error {
  override readonly name = 'EmbeddedPostgresUnsupported';
  readonly code = 'embedded_postgres_unsupported';

  constructor(reason: string, options?: ErrorOptions) {
    super(`no embedded Postgres here: ${reason}; ${INSTEAD}`, options);
  }
}

export class EmbeddedPostgresFailed extends Error {
  override readonly name = 'EmbeddedPostgresFailed';
  readonly code = 'embedded_postgres_failed';
  /** The last lines that Postgres or one of its tools wrote. */
  readonly output: string;

  constructor(what: string, output: string, options?: ErrorOptions) {
    super(`${what}${output === '' ? '' : `:\n${output}`}\n(${INSTEAD})`, options);
    this.output = output;
  }
}

export function lastLines(text: string, count = 12): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
