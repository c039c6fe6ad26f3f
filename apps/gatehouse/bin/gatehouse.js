#!/usr/bin/env node
// The launcher in the checkout: says what is missing instead of a stack trace.
import { existsSync } from 'node:fs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(
    `gatehouse needs Node 22.19 or newer, this is ${process.version} (${process.execPath}).\n` +
      'In the checkout run it as "npx gatehouse", which uses the Node 24 that npm ci installed on Linux; elsewhere install Node 24.\n',
  );
  process.exit(78);
}
const built = new URL('../dist/main.js', import.meta.url);
if (!existsSync(built)) {
  process.stderr.write('gatehouse is not built yet: run "npm run build" in the checkout.\n');
  process.exit(78);
}
// A data plane makes much that lives for one call. Left to itself, V8 grows its space for that to 128 MB before it collects;
// with 8 MB it uses far less memory and no more time. The limit can only be given at the start, so the process begins again.
const youngSpace = '--max-semi-space-size=8';
const isDataPlane = process.argv[2] === 'data-plane' && !process.argv.includes('--help');
if (isDataPlane && typeof process.execve === 'function' && !process.execArgv.includes(youngSpace)) {
  process.removeAllListeners('warning');
  process.execve(process.execPath, [process.execPath, ...process.execArgv, youngSpace, ...process.argv.slice(1)]);
}
await import(built.href);
