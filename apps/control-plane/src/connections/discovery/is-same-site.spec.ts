import { expect, test } from 'vitest';
import { isSameSite } from './is-same-site.ts';

test.each([
  ['https://auth.example.com/authorize', 'https://auth.example.com:8443/token', true],
  ['https://mcp.example.com/authorize', 'https://cf.mcp.example.com/token', true],
  ['https://www.example.com/oauth', 'https://api.example.com/token', true],
  ['https://www.example.co.uk/oauth', 'https://api.example.co.uk/token', true],
  ['http://127.0.0.1:1/authorize', 'http://127.0.0.1:2/token', true],
  ['https://login.honest.example/authorize', 'https://evil.example2/token', false],
  ['https://honest.com/authorize', 'https://evil.com/token', false],
  ['https://honest.co.uk/authorize', 'https://evil.co.uk/token', false],
  ['https://honest.workers.dev/authorize', 'https://evil.workers.dev/token', false],
  ['https://honest.com/authorize', 'https://nothonest.com/token', false],
  ['https://honest.com/authorize', 'https://honest.com.evil.net/token', false],
  ['http://10.0.0.1/authorize', 'http://11.0.0.1/token', false],
  ['http://127.0.0.1/authorize', 'http://localhost/token', false],
  ['http://[::1]/authorize', 'http://[::2]/token', false],
  ['http://com/authorize', 'http://evil.com/token', false],
])('%s and %s: %s', (one, other, isSame) => {
  expect([isSameSite(one, other), isSameSite(other, one)]).toEqual([isSame, isSame]);
});
