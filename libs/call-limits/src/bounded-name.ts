import { hash } from 'node:crypto';

const maxLength = 128;

/** A name is a caller's text, of any length: what stands for it in memory is short. */
export const boundedName = (name: string): string => (name.length <= maxLength ? name : `#${hash('sha256', name, 'base64url')}`);
