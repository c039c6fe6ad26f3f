export { CallerHeaders, cleanHeaders, type HeaderLimits } from './caller-headers.ts';
export { type CallToCompose, type ComposedRequest, composeRequest } from './compose-request.ts';
export { type PreparedServer, type PreparedUpstream, prepareServer } from './prepared-server.ts';
export { type CallFacts } from './protocol-headers.ts';
export { compileHeaderRules, type HeaderRulesSource, ServerHeaderRules } from './server-header-rules.ts';
