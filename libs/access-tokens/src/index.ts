export { brokerPatienceMs, type ConnectReason, type TokenAnswer, tokenAnswer, type TokenRequest, tokenRequest, tokensPath, type TokenSubject, tokenSubject } from './broker-messages.ts';
