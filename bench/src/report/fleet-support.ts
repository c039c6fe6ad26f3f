// The database of `gatehouse up`, and the tests' own client: neither is a library, so they have no public entry to import them by.
export { claimDataDirectory } from '../../../apps/gatehouse/src/data-directory.ts';
export { startEmbeddedPostgres } from '../../../apps/gatehouse/src/embedded-postgres/start-embedded-postgres.ts';
export { type AdminClient, createAdminClient } from '../../../test/support/admin-client.ts';
