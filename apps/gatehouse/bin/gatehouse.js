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
await import(built.href);
