import type { Verdict } from '@gatehouse/header-policy';
import type { ComposedRequest } from './compose-request.ts';
import type { PreparedServer } from './prepared-server.ts';

/** A header of the request that leaves, with the one verdict that it is there by. */
export interface ExplainedHeader {
  readonly name: string;
  readonly value: string;
  readonly verdict: Verdict;
}

/**
 * Every header that leaves, in its order, with the caller's verdict that let it through, or with action `set` and what put it
 * in: app authentication, an outbound header, or the protocol.
 */
export function explainedHeaders({ headers, verdicts }: Pick<ComposedRequest, 'headers' | 'verdicts'>, server: Pick<PreparedServer, 'appAuth' | 'outboundHeaders'>): ExplainedHeader[] {
  const callers = verdicts.filter(({ action }) => action !== 'dropped');
  const explained: ExplainedHeader[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as string;
    // Nothing of the caller's leaves under the name of a credential, nor under one of the protocol's that is still there.
    const position = callers.findIndex(({ outgoingName }) => outgoingName === name);
    const [passed] = position === -1 ? [] : callers.splice(position, 1);
    const verdict = passed ?? { name, action: 'set', ...(credentialRule(name, server) ?? protocolRule) };
    explained.push({ name, value: headers[index + 1] as string, verdict });
  }
  return explained;
}

const protocolRule = { rule: 'protocol', from: 'built-in' } as const;

/** The part of a server's configuration that sets a header of this name, as verdicts name it. */
export function credentialRule(name: string, { appAuth, outboundHeaders }: Pick<PreparedServer, 'appAuth' | 'outboundHeaders'>): Pick<Verdict, 'rule' | 'from'> | undefined {
  const isSame = (other: string): boolean => other.toLowerCase() === name.toLowerCase();
  if (appAuth.headerNames.some(isSame)) return { rule: `appAuth ${appAuth.type}`, from: 'server' };
  const outbound = outboundHeaders.find((header) => isSame(header.name));
  return outbound && { rule: `outboundHeaders ${outbound.name}`, from: 'server' };
}
