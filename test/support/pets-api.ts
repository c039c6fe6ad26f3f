import { importOpenApi } from '@gatehouse/api-tools';
import type { RecordingHandler } from './recording-upstream.ts';

const pet = { type: 'object', properties: { id: { type: 'string' }, name: { type: 'string' } } };
const json = (schema: object): object => ({ content: { 'application/json': { schema } } });
const id = { name: 'petId', in: 'path', required: true, schema: { type: 'string' } };

/** A specification with one of each: a value in the path, in the query, in a header, in a body, as a form, as a file. */
export const petsDocument = {
  openapi: '3.1.0',
  info: { title: 'Pets', version: '1' },
  paths: {
    '/pets': {
      get: {
        operationId: 'listPets',
        description: 'Lists pets',
        parameters: [
          { name: 'tag', in: 'query', schema: { type: 'array', items: { type: 'string' } } },
          { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 100 } },
          { name: 'X-Mode', in: 'header', schema: { type: 'string' } },
        ],
        responses: { 200: json({ type: 'array', items: pet }) },
      },
      post: { operationId: 'addPet', requestBody: { required: true, ...json({ ...pet, required: ['name'] }) }, responses: { 201: json(pet) } },
    },
    '/pets/{petId}': {
      parameters: [id],
      get: { operationId: 'getPet', responses: { 200: json(pet) } },
      delete: { operationId: 'deletePet', responses: { 204: {} } },
    },
    '/pets/{petId}/picture': { put: { operationId: 'putPicture', parameters: [id], requestBody: { required: true, content: { 'image/png': { schema: { type: 'string', format: 'binary' } } } }, responses: { 204: {} } } },
    '/search': { post: { operationId: 'search', requestBody: { required: true, content: { 'application/x-www-form-urlencoded': { schema: { type: 'object', properties: { q: { type: 'string' } }, required: ['q'] } } } }, responses: {} } },
  },
};

export const petsOperations = [...importOpenApi(petsDocument).operations];

/** Answers as that API. */
export const answerAsPets: RecordingHandler = ({ method, url }, response) => {
  if (method === 'DELETE' || method === 'PUT') return void response.writeHead(204).end();
  const { pathname } = new URL(url, 'http://pets.example');
  const name = /\/pets\/([^/]+)$/.exec(pathname)?.[1];
  const answer = name !== undefined ? { id: name, name: 'Rex' } : method === 'GET' ? [{ id: '1', name: 'Rex' }] : { id: '2', name: 'Tom' };
  response.writeHead(method === 'POST' ? 201 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
};
