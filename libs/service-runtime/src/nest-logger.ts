import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'pino';

/** Nest's own messages as lines of our log; its start-up chatter only at debug. */
export function nestLogger(logger: Logger): LoggerService {
  const line = (message: unknown, context: unknown): [object, string] => [
    typeof context === 'string' ? { context } : {},
    message instanceof Error ? message.message : String(message),
  ];
  return {
    log: (message: unknown, context?: unknown) => logger.debug(...line(message, context)),
    debug: (message: unknown, context?: unknown) => logger.debug(...line(message, context)),
    verbose: (message: unknown, context?: unknown) => logger.trace(...line(message, context)),
    warn: (message: unknown, context?: unknown) => logger.warn(...line(message, context)),
    error: (message: unknown, _stack?: unknown, context?: unknown) => logger.error(...line(message, context)),
    fatal: (message: unknown, context?: unknown) => logger.fatal(...line(message, context)),
  };
}
