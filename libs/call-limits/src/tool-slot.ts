import { hash } from 'node:crypto';

const slots = 1_024;

/**
 * What a tool is counted by. Its name is a caller's text, and nobody knows here which tools there are: however many names are made up,
 * those of one rate (and caller) have no more buckets than this.
 */
export const toolSlot = (name: string): number => hash('sha256', name, 'buffer').readUInt16BE(0) % slots;
