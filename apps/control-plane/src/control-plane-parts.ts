/** Under which Nest injects what the process was started with and has no class. */
export const channelToken = Symbol('snapshot channel');
export const callEventsToken = Symbol('stream of call events');
export const loggerToken = Symbol('logger');
