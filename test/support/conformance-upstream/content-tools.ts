import { fromJsonSchema, type CallToolResult, type McpServer } from '@modelcontextprotocol/server';
import { samplePng, sampleWav, textResult } from './samples.ts';

const fixedResults: Record<string, { description: string; result: CallToolResult }> = {
  test_simple_text: {
    description: 'Answers with a text block',
    result: textResult('This is a simple text response for testing.'),
  },
  test_image_content: {
    description: 'Answers with an image block',
    result: { content: [{ type: 'image', ...samplePng }] },
  },
  test_audio_content: {
    description: 'Answers with an audio block',
    result: { content: [{ type: 'audio', ...sampleWav }] },
  },
  test_embedded_resource: {
    description: 'Answers with an embedded resource',
    result: {
      content: [
        {
          type: 'resource',
          resource: {
            uri: 'test://embedded-resource',
            mimeType: 'text/plain',
            text: 'This is an embedded resource content.',
          },
        },
      ],
    },
  },
  test_multiple_content_types: {
    description: 'Answers with text, an image and a resource together',
    result: {
      content: [
        { type: 'text', text: 'Multiple content types test:' },
        { type: 'image', ...samplePng },
        {
          type: 'resource',
          resource: {
            uri: 'test://mixed-content-resource',
            mimeType: 'application/json',
            text: JSON.stringify({ test: 'data', value: 123 }),
          },
        },
      ],
    },
  },
};

/** Tools whose answer is fixed, and two whose input schema must survive the listing. */
export function registerContentTools(server: McpServer): void {
  for (const [name, { description, result }] of Object.entries(fixedResults)) {
    server.registerTool(name, { description }, () => result);
  }
  server.registerTool('test_error_handling', { description: 'Always fails' }, () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Takes arguments described with JSON Schema 2020-12', inputSchema: fromJsonSchema(richSchema) },
    () => textResult('The arguments were valid.'),
  );
  server.registerTool(
    'test_header_parameter',
    { description: 'Takes an argument that clients repeat as a header', inputSchema: fromJsonSchema(headerSchema) },
    (values) => textResult(JSON.stringify(values)),
  );
}

const headerSchema = {
  type: 'object',
  properties: { region: { type: 'string', 'x-mcp-header': 'Region' } },
  required: ['region'],
};

export const richSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};
