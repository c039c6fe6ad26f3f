/** A column of sealed values and the column that names the key term of each. */
export interface GuardedColumn {
  readonly sealed: string;
  readonly term: string;
}

/**
 * Statements for a migration: no value is stored in the table under a data key that is destroyed. A writer that took its key, was
 * held up, and writes when that key is gone fails, and may try again; what was never stored cannot be lost. The lock is a foreign
 * key's: writers do not wait for each other, and destroying a key waits for them.
 * @param workspace column that says whose key it is; absent, it is the gateway's own
 */
export function requireUsableKey(table: string, columns: readonly GuardedColumn[], workspace?: string): string[] {
  const owner = workspace === undefined ? `'00000000-0000-0000-0000-000000000000'` : `new.${workspace}`;
  const checks = columns.map(
    ({ term }) => `
      if new.${term} is not null then
        perform 1 from data_keys where workspace_id = ${owner} and data_keys.term = new.${term} and state <> 'destroyed' for key share;
        if not found then
          raise exception 'key term % is not there any more', new.${term} using errcode = 'serialization_failure';
        end if;
      end if;`,
  );
  return [
    `create function ${table}_require_usable_key() returns trigger language plpgsql as $$
    begin${checks.join('')}
      return null;
    end
    $$`,
    // After, because terms may be generated columns.
    `create trigger ${table}_require_usable_key after insert or update of ${columns.map(({ sealed }) => sealed).join(', ')} on ${table}
      for each row execute function ${table}_require_usable_key()`,
  ];
}

export function dropRequireUsableKey(table: string): string[] {
  return [`drop trigger ${table}_require_usable_key on ${table}`, `drop function ${table}_require_usable_key()`];
}
