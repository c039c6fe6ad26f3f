import { canonicalName, type DropReason, type Verdict } from '@gatehouse/header-policy';

/** Why a header is where it is, and what to change, for people. Names and rules only: a value is never part of it. */
export function explainVerdict(verdict: Verdict): string {
  const { action, reason, outgoingName = verdict.name, rule } = verdict;
  switch (action) {
    case 'kept':
      return `It passes: ${rule}, ${places[verdict.from]}.`;
    case 'renamed':
      return `It leaves as ${outgoingName}: ${rule}, ${places[verdict.from]}.`;
    case 'replaced':
      return `It passes and takes the place of the gateway's own ${outgoingName}: ${rule}, ${places[verdict.from]}, and overwriteBaseHeaders is on.`;
    case 'set':
      return setBy(rule);
    case 'dropped':
      return reason === undefined ? 'It does not leave.' : whyDropped[reason](verdict);
  }
}

const places: Readonly<Record<Verdict['from'], string>> = {
  server: 'in the document of this server',
  global: 'in the global header policy',
  environment: 'in the environment of the control plane',
  'built-in': 'built in',
};

function setBy(rule: string): string {
  if (rule === 'protocol') return 'The gateway writes it, as HTTP and MCP need it.';
  if (rule.startsWith('outboundHeaders')) return `The gateway adds it: ${rule} of this server. No caller can name or replace it.`;
  return `The gateway adds the credential that is stored for this server: ${rule}. No caller can name or replace it.`;
}

const isUpstreamAuthorization = (name: string): boolean => canonicalName(name) === 'x-upstream-authorization';

const whyDropped: Readonly<Record<DropReason, (verdict: Verdict) => string>> = {
  blocked: () => 'Cookies belong to the origin that set them and never pass, whatever is configured. Send what the upstream needs in a header of another name.',
  hop_by_hop: () => 'It is about one connection; the gateway has its own with the upstream. No configuration changes that.',
  connection_nominated: () => 'The header Connection of this request names it, which makes it one of this connection only. Take it out of Connection.',
  reserved: ({ name, rule }) =>
    isUpstreamAuthorization(name)
      ? 'It looks like X-Upstream-Authorization and is spelled differently. Spell it like that, or choose another name.'
      : `The gateway or the protocol writes it itself (${rule}), and no configuration changes that. Send what the upstream needs in a header of another name.`,
  restricted: ({ rule, from }) => `A pattern keeps it back: ${rule}, ${places[from]}. Narrow the pattern, or choose another name.`,
  credential_not_forwardable: ({ rule }) =>
    isUpstreamAuthorization(rule)
      ? 'X-Upstream-Authorization of the same request becomes the upstream’s Authorization. Send only one of them.'
      : 'It is for the gateway, and goes on only where agentAuth and appAuth are both passthrough. To give the upstream a credential, use appAuth or outboundHeaders.',
  app_auth_wins: ({ rule }) =>
    isUpstreamAuthorization(rule)
      ? 'It never takes the place of a stored credential. It passes where appAuth is none or passthrough.'
      : 'appAuth of this server sets this header, and no caller replaces it. Choose another name, or change appAuth.',
  outbound_header_wins: ({ rule }) => `An outbound header of this server is set in its place, and no caller replaces it: ${rule}. Choose another name, or take it out of outboundHeaders.`,
  base_header_wins: () => 'The policy lets it pass, and the gateway writes this header itself. overwriteBaseHeaders: true in the header policy lets the caller’s replace it.',
  not_selected: ({ rule, from }) => {
    if (from === 'built-in') return 'Nothing passes unless a policy says so. Add it to headerPolicy of this server (mode list, mappings or all), or to the global header policy.';
    if (rule === 'mode none') return `Nothing passes: ${rule}, ${places[from]}. Choose mode list, mappings or all, and name it.`;
    return `The policy does not name it: ${rule}, ${places[from]}. Add it there.`;
  },
  pass_through_off: ({ rule, from }) => `All pass-through is switched off: ${rule}, ${places[from]}.`,
  value_too_long: ({ rule, from }) => `Its value is longer than allowed, and values are never cut: ${rule}, ${places[from]}. Raise maxValueBytes (at most 32768) in headerPolicy of this server, or send less.`,
  invalid_value: () => 'Its value has control characters, which no header can carry. Encode it.',
  empty_value: () => 'Nothing is left of its value without the white space around it.',
};
