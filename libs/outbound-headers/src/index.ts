export { type IdentityKey, IdentityKeys, type IdentityKeysOptions } from './identity-keys.ts';
export { completeOutboundHeaders, type OutboundHeaders, type PreparedOutboundHeader, prepareOutboundHeaders, readableOutboundHeaders, writableOutboundHeaders } from './outbound-header.ts';
export { outboundHeaderSources } from './registry.ts';
