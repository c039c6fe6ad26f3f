/** Under which Nest injects what the process was started with and has no class. */
export const channelToken = Symbol('snapshot channel');
export const loggerToken = Symbol('logger');
