import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../database/database.ts';
import { isUuid } from '../database/uuid-v7.ts';
import { type ControlPlaneSettings, settingsToken } from '../environment.ts';
import { findPersonRow, type PersonRow } from './people.store.ts';
import { localProvider, type Person } from './person.ts';
import { rolesOf } from './roles-of.ts';

/** People as the rest of the control plane sees them. */
@Injectable()
export class People {
  readonly #database: Database;
  readonly #settings: ControlPlaneSettings;

  constructor(database: Database, @Inject(settingsToken) settings: ControlPlaneSettings) {
    this.#database = database;
    this.#settings = settings;
  }

  async find(id: string): Promise<Person | undefined> {
    const row = isUuid(id) ? await findPersonRow(this.#database.sql, id) : undefined;
    return row && this.personOf(row);
  }

  personOf(row: PersonRow): Person {
    const { id, provider, subject, name, groups } = row;
    return {
      id, provider, subject, name, groups,
      email: row.email ?? undefined,
      roles: rolesOf([...groups, ...row.roleValues], row.roleMapping ?? {}, row.assignedRoles),
      disabled: row.disabled || row.suspended || (provider === localProvider && !this.#settings.LOCAL_LOGIN),
    };
  }
}
