export { type ClientSecrets, checkClientSecrets, clientFields, scopes } from './client-fields.ts';
export { type ClientTokenConfig, type PreparedClientToken, prepareClientToken } from './client-token.ts';
export { completeBoundExchange, completeExchange, type ExchangeConfig, readableBoundExchange, readableExchange, writableBoundExchange, writableExchange } from './exchange-config.ts';
export { type PreparedExchange, prepareExchange } from './prepare-exchange.ts';
export { type CallerToken, missingSubject, type SubjectContext, type SubjectKind, subjectNames, subjectTokenOf } from './subject-token.ts';
