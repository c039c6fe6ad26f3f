import { randomToken } from '../random-token.ts';

const shape = /^gatehouse_api_[A-Za-z0-9_-]{43}$/;

export const newApiToken = (): string => `gatehouse_api_${randomToken()}`;

/** Whether a text has the shape of one. */
export const isApiToken = (text: string): boolean => shape.test(text);
