import { readSettings } from '@gatehouse/service-runtime';
import { expect, test } from 'vitest';
import { controlPlaneSettings } from './environment.ts';

const { CONTROL_PLANE_URL } = controlPlaneSettings;
const read = (url: string) => readSettings({ CONTROL_PLANE_URL }, { GATEHOUSE_CONTROL_PLANE_URL: url }).CONTROL_PLANE_URL;

test('the control plane is at an origin: an issuer with a path would have its metadata and cookies elsewhere', () => {
  expect([read('https://x.example'), read('https://x.example/'), read('http://localhost:3000')]).toEqual(['https://x.example', 'https://x.example', 'http://localhost:3000']);
  for (const url of ['https://x.example/gatehouse', 'https://x.example/?a', 'https://x.example/#a', 'https://a@x.example']) expect(() => read(url)).toThrow(/GATEHOUSE_CONTROL_PLANE_URL/);
});
