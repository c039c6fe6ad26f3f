export { type IdentityKey, IdentityKeys, type IdentityKeysOptions } from './identity-keys.ts';
export { completeOutboundHeaders, type OutboundHeaders, type PreparedOutboundHeader, prepareOutboundHeaders, readableOutboundHeaders, writableOutboundHeaders } from './outbound-header.ts';
export { type OutboundHeaderRecipe, outboundHeaderRecipes } from './recipes.ts';
export { outboundHeaderSources } from './registry.ts';
