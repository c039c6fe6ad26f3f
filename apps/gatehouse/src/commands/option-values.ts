import { InvalidArgumentError } from 'commander';

/** A TCP port; 0 stands for a free one. */
export function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('A port is a whole number from 0 to 65535.');
  return port;
}

/** For an option that may be given several times. */
export const collected = (text: string, earlier: readonly string[] = []): readonly string[] => [...earlier, text];
