export const commandTimeoutMs = 5_000;

export const connectionOptions = {
  connectTimeout: commandTimeoutMs,
  // Ends a connection that owes an answer for so long.
  socketTimeout: commandTimeoutMs,
  keepAlive: 10_000,
  // Reconnects for ever, soon at first; the jitter keeps many planes from coming back in one instant.
  retryStrategy: (attempt: number) => Math.min(100 * 2 ** Math.min(attempt, 5), 3_000) * (0.5 + Math.random() / 2),
} as const;

/** Of a connection on which every command is bounded in time. */
export const commandConnection = { ...connectionOptions, commandTimeout: commandTimeoutMs, maxRetriesPerRequest: 1, enableOfflineQueue: true } as const;
