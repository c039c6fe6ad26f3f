import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { installDebianPackage } from './debian-package.ts';

const advice = 'The tests of logins need Chromium. Install it (Debian: apt-get install chromium, macOS: brew install --cask chromium) and try again.';
const commands = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
const applications = ['/Applications/Chromium.app/Contents/MacOS/Chromium', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];

/** Installs Chromium where it is missing and that needs no one's permission. Where it does, only the tests that need it fail. */
export async function ensureChromium(): Promise<void> {
  if (findChromium() === undefined) await installDebianPackage('chromium', advice).catch((error: unknown) => console.warn(error));
}

/** A browser without a window. @throws Error that says what to install */
export async function launchChromium(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error(advice);
  // Its sandbox refuses to run as root; what it shows here are our own pages.
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
}

function findChromium(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return [...commands.flatMap((command) => folders.map((folder) => join(folder, command))), ...applications].find((path) => existsSync(path));
}
