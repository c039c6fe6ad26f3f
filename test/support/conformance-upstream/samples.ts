import type { CallToolResult } from '@modelcontextprotocol/server';

/** One white pixel. */
export const samplePng = {
  data: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj2FAAAAABJRU5ErkJggg==',
  mimeType: 'image/png',
};

/** The header of a mono 8-bit file at 16 kHz, and no samples. */
export const sampleWav = { data: 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAgD4AAIA+AAABAAgAZGF0YQAAAAA=', mimeType: 'audio/wav' };

export function textResult(text: string): CallToolResult {
  return { content: [{ type: 'text', text }] };
}
