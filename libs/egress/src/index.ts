export { type AddressGuard, type AddressGuardOptions, createAddressGuard, isAllowedRange } from './address-guard.ts';
export { guardedConnector, type GuardedConnectorOptions, guardedLookup, type ResolveName, type UpstreamTls } from './guarded-connector.ts';
export { type GuardedFetch, guardedFetch, type GuardedFetchOptions, type RequestTarget } from './guarded-fetch.ts';
export { type ConnectOptions, OriginPools, type OriginPoolsOptions } from './origin-pools.ts';
export { OriginSlots, type SlotLimits } from './origin-slots.ts';
export { type BufferedResponse, type OutgoingRequest, type RequestTimeouts, sendRequest } from './send-request.ts';
export { tlsProblem, toUpstreamError } from './upstream-error.ts';
