import type { Sql } from '../../database/sql.ts';

/** Whether somebody pressed the button already. */
export const isUsedLink = async (sql: Sql, linkId: string): Promise<boolean> => (await sql('select from used_connect_links where id = $1', [linkId])).length > 0;
