import { runGatehouse } from './run-gatehouse.ts';

process.exitCode = await runGatehouse(process.argv.slice(2));
