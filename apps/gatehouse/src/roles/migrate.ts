import { migrate } from '@gatehouse/control-plane';
import { gatehouseSettings } from '../environment.ts';
import { output } from '../output.ts';

/** `gatehouse migrate` */
export async function migrateDatabase(): Promise<number> {
  await migrate({ environment: gatehouseSettings() });
  output.line('The database is at the schema of this version.');
  return 0;
}
