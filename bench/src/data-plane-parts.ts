// What is measured here are the inner parts of the data plane; its public entry only starts a whole one.
export { CallEventBuffer } from '../../apps/data-plane/src/call-events/call-event-buffer.ts';
export { type CallEventSink, observeCalls } from '../../apps/data-plane/src/observe-calls.ts';
export { authenticateCaller } from '../../apps/data-plane/src/pipeline/authenticate-caller.ts';
export { buildUpstreamRequest } from '../../apps/data-plane/src/pipeline/build-upstream-request.ts';
export { CallRecord } from '../../apps/data-plane/src/pipeline/call-record.ts';
export { cleanHeaders, obtainCredentials } from '@gatehouse/upstream-request';
export type { Gateway } from '../../apps/data-plane/src/pipeline/gateway.ts';
export { handleRequest } from '../../apps/data-plane/src/pipeline/handle-request.ts';
export { PendingConnections } from '../../apps/data-plane/src/pipeline/connect/pending-connections.ts';
export { UpstreamSessions } from '../../apps/data-plane/src/pipeline/connect/upstream-sessions.ts';
export { matchServer, parseRoute } from '../../apps/data-plane/src/pipeline/match-server.ts';
export { readCall } from '../../apps/data-plane/src/pipeline/read-call.ts';
export type { IncomingRequest, StreamedBody } from '../../apps/data-plane/src/pipeline/request.ts';
export { shapeResponse } from '../../apps/data-plane/src/pipeline/shape-response.ts';
export { applyChange, emptySnapshot, type Snapshot } from '../../apps/data-plane/src/snapshot/current-snapshot.ts';
export { prepareDocuments } from '../../apps/data-plane/src/snapshot/prepare-snapshot.ts';
export { KnownNames } from '../../apps/data-plane/src/virtual/known-names.ts';
export { MemberSessions } from '../../apps/data-plane/src/virtual/member-sessions.ts';
