import { styled } from '../output.ts';
import type { Difference } from './find-differences.ts';

const longest = 160;
const secretEffects = { set: 'secret, would be set', again: 'secret, set already (cannot be compared)', cleared: 'secret, would be cleared' } as const;

/** One line: what happens to the field, where it is, and its values; of a secret only what would happen to it. */
export function renderDifference(difference: Difference): string {
  const { pointer } = difference;
  switch (difference.change) {
    case 'added':
      return styled('green', `+ ${pointer}  ${asText(difference.to)}`);
    case 'removed':
      return styled('red', `- ${pointer}  ${asText(difference.from)}`);
    case 'changed':
      return styled('yellow', `~ ${pointer}  ${asText(difference.from)} → ${asText(difference.to)}`);
    case 'secret':
      return difference.effect === 'again' ? styled('dim', `= ${pointer}  ${secretEffects.again}`) : styled('yellow', `~ ${pointer}  ${secretEffects[difference.effect]}`);
  }
}

/** A `Secret` inside says `[secret]` by itself. */
function asText(value: unknown): string {
  const text = JSON.stringify(value) ?? '';
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
