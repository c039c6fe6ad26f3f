import type { CallToolResult, Tool } from '@modelcontextprotocol/client';
import { printable, styled } from '../output.ts';
import { argumentsOf } from './parse-arguments.ts';

/** A tool's answer as a person reads it. */
export function renderResult({ content, structuredContent }: CallToolResult): string {
  const parts = content.map(renderContent);
  if (parts.length === 0 && structuredContent !== undefined) parts.push(JSON.stringify(structuredContent, null, 2));
  return parts.length === 0 ? styled('dim', '(the tool answered with nothing)') : printable(parts.join('\n'));
}

function renderContent(part: CallToolResult['content'][number]): string {
  switch (part.type) {
    case 'text':
      return part.text;
    case 'image':
    case 'audio':
      return `(${part.type}, ${part.mimeType}, ${Buffer.byteLength(part.data, 'base64')} bytes; --json shows it)`;
    case 'resource':
      return 'text' in part.resource ? part.resource.text : `(resource ${part.resource.uri}; --json shows it)`;
    case 'resource_link':
      return `${part.name}: ${part.uri}`;
  }
}

/** One tool a line: its name, its arguments, and the first sentence of what it does. */
export function renderTools(tools: readonly Tool[]): string {
  return tools.map((tool) => `  ${styled('bold', printable([tool.name, argumentsOf(tool.inputSchema)].filter(Boolean).join(' ')))}${describe(tool)}`).join('\n');
}

function describe({ description = '' }: Tool): string {
  const [first = ''] = description.split('\n');
  return first === '' ? '' : `\n      ${printable(first)}`;
}
