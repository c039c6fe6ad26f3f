import type { PreparedAgentAuth } from '@gatehouse/agent-auth';
import type { PreparedAppAuth } from '@gatehouse/app-auth';
import { type GlobalHeaderPolicy, mappingRule, type ServerHeaderPolicy } from '@gatehouse/gateway-config';
import { baseHeaderNames, HeaderPattern, HeaderRules, type HeaderRulesOptions, type RuleOrigin, type Selection, sharedHeaderRules } from '@gatehouse/header-policy';
import type { PreparedOutboundHeader } from '@gatehouse/outbound-headers';

/** What of a server its header rules depend on. */
export interface HeaderRulesSource {
  readonly headerPolicy: ServerHeaderPolicy | undefined;
  readonly agentAuth: Pick<PreparedAgentAuth, 'forwardsAuthorization' | 'restrictedHeaders'>;
  readonly appAuth: Pick<PreparedAppAuth, 'type' | 'headerNames' | 'storesCredential'>;
  readonly outboundHeaders: readonly Pick<PreparedOutboundHeader, 'name'>[];
}

/** The header rules of one server: compiled when a call first needs them, and again when the global policy is another. */
export class ServerHeaderRules {
  readonly #source: HeaderRulesSource;
  #compiled: { readonly policy: GlobalHeaderPolicy; readonly rules: HeaderRules } | undefined;

  constructor(source: HeaderRulesSource) {
    this.#source = source;
  }

  /** Of the same server where callers are let in in another way. */
  with(agentAuth: HeaderRulesSource['agentAuth']): ServerHeaderRules {
    return new ServerHeaderRules({ ...this.#source, agentAuth });
  }

  under(policy: GlobalHeaderPolicy): HeaderRules {
    if (this.#compiled?.policy !== policy) this.#compiled = { policy, rules: sharedHeaderRules(optionsOf(this.#source, policy)) };
    return this.#compiled.rules;
  }
}

/** Server over global over environment (P16): the server's own fields, and what it does not say as the global policy has it. */
export const compileHeaderRules = (source: HeaderRulesSource, policy: GlobalHeaderPolicy): HeaderRules => new HeaderRules(optionsOf(source, policy));

function optionsOf(source: HeaderRulesSource, policy: GlobalHeaderPolicy): HeaderRulesOptions {
  const { headerPolicy, agentAuth, appAuth, outboundHeaders } = source;
  const restricted = [
    ...[...(headerPolicy?.restricted ?? []), ...agentAuth.restrictedHeaders].sort().map((text) => ({ pattern: new HeaderPattern(text), from: 'server' as const })),
    ...[...policy.restricted].sort().map((text) => ({ pattern: new HeaderPattern(text), from: 'global' as const })),
  ];
  const ownLimit = headerPolicy?.maxValueBytes;
  const bytes = ownLimit ?? policy.maxValueBytes;
  return {
    ...(!policy.enabled && { switchedOff: { rule: switchRules[policy.enabledFrom], from: policy.enabledFrom } }),
    selection: selectionOf(source, policy),
    restricted,
    overwriteBaseHeaders: headerPolicy?.overwriteBaseHeaders ?? policy.overwriteBaseHeaders,
    maxValueBytes: { bytes, rule: `maxValueBytes ${bytes}`, from: ownLimit === undefined ? policy.maxValueBytesFrom : 'server' },
    baseHeaders: baseHeaderNames,
    appAuthHeaders: appAuth.headerNames,
    outboundHeaders: outboundHeaders.map(({ name }) => name),
    forwardsAuthorization: agentAuth.forwardsAuthorization && appAuth.type === 'passthrough',
    storesCredential: appAuth.storesCredential,
  };
}

const switchRules = { global: 'enabled: false', environment: 'GATEHOUSE_HEADER_PASSTHROUGH', 'built-in': 'the global policy is not known' } as const;

function selectionOf({ headerPolicy, appAuth }: HeaderRulesSource, policy: GlobalHeaderPolicy): Selection {
  if (headerPolicy !== undefined) return serverSelection(headerPolicy);
  // What pass-through means where nothing more is said (D1, docs/rules.md).
  if (appAuth.type === 'passthrough') return { mode: 'all', rule: 'mode all (appAuth passthrough)', from: 'server' };
  const from: RuleOrigin = policy.modeFrom;
  if (policy.mode === 'rows') return { mode: 'rows', rows: policy.rows, rule: from === 'environment' ? 'GATEHOUSE_PASSTHROUGH_HEADERS' : 'the global rows', from };
  return { mode: policy.mode, rule: from === 'built-in' ? 'nothing passes unless a policy says so' : `mode ${policy.mode}`, from };
}

function serverSelection({ mode, list = [], mappings = [] }: ServerHeaderPolicy): Selection {
  const rule = `mode ${mode}`;
  const from = 'server';
  switch (mode) {
    case 'none':
    case 'all':
      return { mode, rule, from };
    case 'list':
      return { mode: 'rows', rows: list.map((name) => ({ source: name, target: name, rule: `list ${name}`, from })), rule, from };
    case 'mappings':
      return { mode: 'rows', rows: mappings.map((mapping) => ({ source: mapping.source, target: mapping.target || mapping.source, rule: mappingRule(mapping), from })), rule, from };
  }
}
