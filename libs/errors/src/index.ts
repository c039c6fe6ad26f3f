export { type ErrorCode, errorCodes, type LogLevel } from './error-codes.ts';
export { GatewayError, type GatewayErrorOptions, type Problem, toGatewayError } from './gateway-error.ts';
export { pointerOf } from './pointer-of.ts';
