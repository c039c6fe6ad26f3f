import { deployTools } from './deploy-tools.ts';
import { ToolsUnavailable } from './install-tools.ts';

// For CI: says why this machine cannot have the tools, and ends with 69 (EX_UNAVAILABLE of sysexits.h). Whatever else fails is a failure.
await deployTools().catch((error: unknown) => {
  if (!(error instanceof ToolsUnavailable)) throw error;
  console.log(error.message);
  process.exitCode = 69;
});
