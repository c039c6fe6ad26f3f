export { completeOutboundHeaders, type OutboundHeaders, type PreparedOutboundHeader, prepareOutboundHeaders, readableOutboundHeaders, writableOutboundHeaders } from './outbound-header.ts';
export { outboundHeaderSources } from './registry.ts';
