import { runGatehouse } from './run-gatehouse.ts';
import { exitSoon } from './stop-signal.ts';

// Whoever read the output has read enough, as `head` has: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});
process.exitCode = await runGatehouse(process.argv.slice(2));
// What a command that failed has left open must not keep it.
if (process.exitCode !== 0) exitSoon();
