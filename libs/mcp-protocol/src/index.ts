export { EndpointEvent, type EndpointRewrite } from './endpoint-event.ts';
export { EventBoundary } from './event-boundary.ts';
export { type MessageHeaders, type MessageSummary, type ReadMessage, readMessage } from './read-message.ts';
export { firstModernRevision, isModernRevision } from './revisions.ts';
export { rpcError, type RpcErrorBody, rpcErrorCodes, type RpcId } from './rpc-error.ts';
export { SealedSessions, type SessionOwner } from './sealed-session.ts';
