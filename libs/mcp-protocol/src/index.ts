export { elicitsUrls, type LegacyClient, messageElicitsUrls, readLegacyClient, rpcResult } from './client-of-message.ts';
export {
  connectAnswerOf, connectDiscovered, connectInitialized, type ConnectLink, connectNotifications, connectTool, connectToolList, type ServerDescription, toolResult, urlElicitationRequired, urlInputRequired,
} from './connect-messages.ts';
export { EndpointEvent, type EndpointRewrite } from './endpoint-event.ts';
export { endpointPath } from './endpoint-path.ts';
export { EventBoundary } from './event-boundary.ts';
export { EventDataFilter, type ReplaceData } from './event-data-filter.ts';
export { EventStreamReader, type ServerSentEvent } from './event-stream-reader.ts';
export { type FilteredMessage, filterToolLists } from './filter-tool-lists.ts';
export { formatEvent } from './format-event.ts';
export { type InputAnswer, readInputAnswer, requestDigest } from './input-responses.ts';
export { beginsArray, beginsObject, eachElement, eachMember, skipSpace } from './json-text.ts';
export { type MessageHeaders, type MessageSummary, type ReadMessage, readMessage } from './read-message.ts';
export { type MemberRange, readMembers, type ReadMembers } from './read-members.ts';
export { type ReadToolCalls, readToolCalls, type RequestInBody } from './read-tool-calls.ts';
export { firstModernRevision, isLegacyRevision, isModernRevision, lastLegacyRevision, negotiatedRevision } from './revisions.ts';
export { readEnvelopes, requestIds, type RpcEnvelope, withResponseId } from './rpc-envelope.ts';
export { rpcError, type RpcErrorBody, rpcErrorCodes, type RpcId } from './rpc-error.ts';
export { serverDiscovered, serverInitialized, type ServedServer, toolCallResult, toolListPage, unsupportedRevision } from './server-messages.ts';
export { SealedSessions, type SessionOwner } from './sealed-session.ts';
export { ToolRules, type ToolRulesConfig } from './tool-rules.ts';
