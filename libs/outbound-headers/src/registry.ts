import { taggedUnionOf } from '@gatehouse/config-fields';
import type { z } from 'zod';
import { callerIdentity } from './caller-identity.ts';
import { callerToken } from './caller-token.ts';
import { credential } from './credential.ts';
import { onBehalfOf } from './on-behalf-of.ts';
import type { PreparedSource } from './outbound-header-source.ts';
import { requestHeader } from './request-header.ts';
import { serviceToken } from './service-token.ts';
import { staticValue } from './static.ts';

/** Every source of outbound headers there is. The schemas, the types, OpenAPI and the forms derive from this list. */
export const outboundHeaderSources = [serviceToken, callerToken, onBehalfOf, callerIdentity, credential, requestHeader, staticValue] as const;

export const writableSource = taggedUnionOf(outboundHeaderSources, 'writable').meta({ id: 'OutboundHeaderSourceInput' });
export const completeSource = taggedUnionOf(outboundHeaderSources, 'complete');
export const readableSource = taggedUnionOf(outboundHeaderSources, 'readable').meta({ id: 'OutboundHeaderSource' });

export type OutboundHeaderSourceConfig = z.output<typeof completeSource>;

/** Compiles a source, once per revision. */
export function prepareSource(config: OutboundHeaderSourceConfig, isRequired: boolean): PreparedSource {
  const source = outboundHeaderSources.find((candidate) => candidate.type === config.type);
  if (!source) throw new TypeError('unknown source of an outbound header');
  // The union's member and its source's `prepare` belong together: both come from the same entry of the list.
  return (source.prepare as (config: OutboundHeaderSourceConfig, isRequired: boolean) => PreparedSource)(config, isRequired);
}
