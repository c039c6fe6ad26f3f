export { callerHeaderReader } from './caller-header-reader.ts';
export { CallerHeaders, cleanHeaders, type HeaderLimits } from './caller-headers.ts';
export { checkContentType } from './check-content-type.ts';
export { type CallToCompose, type ComposedRequest, composeRequest } from './compose-request.ts';
export { credentialRule, type ExplainedHeader, explainedHeaders } from './explained-headers.ts';
export { obtainCredentials } from './obtain-credentials.ts';
export { type PreparedServer, type PreparedUpstream, prepareServer } from './prepared-server.ts';
export { type CallFacts } from './protocol-headers.ts';
export { compileHeaderRules, type HeaderRulesSource, ServerHeaderRules } from './server-header-rules.ts';
