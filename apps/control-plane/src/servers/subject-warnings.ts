import type { UpstreamServerDocument, Warning } from '@gatehouse/gateway-config';
import type { StoredDocument } from './servers.store.ts';

type Callers = UpstreamServerDocument['agentAuth'];
type Subject = 'caller-token' | 'identity-provider-token';

/** What is made of a token that says who calls, where no caller of the server has one. */
export function subjectWarnings(document: StoredDocument): Warning[] {
  const { agentAuth, appAuth, outboundHeaders = [] } = document as Pick<UpstreamServerDocument, 'agentAuth' | 'appAuth' | 'outboundHeaders'>;
  const places = [{ pointer: '/appAuth', config: appAuth }, ...outboundHeaders.map(({ source }, index) => ({ pointer: `/outboundHeaders/${index}/source`, config: source }))];
  return places.flatMap(({ pointer, config }) => {
    const subject = subjectOf(config);
    return subject === undefined || subject.some((wanted) => has[wanted](agentAuth)) ? [] : [{ ...noSubject, pointer }];
  });
}

const has: Readonly<Record<Subject, (agentAuth: Callers) => boolean>> = {
  'caller-token': (agentAuth) => agentAuth.type === 'passthrough' && agentAuth.jwt !== undefined,
  'identity-provider-token': (agentAuth) => agentAuth.type === 'interactive',
};

/** Which of them would do; nothing where none is needed. */
function subjectOf(config: UpstreamServerDocument['appAuth'] | NonNullable<UpstreamServerDocument['outboundHeaders']>[number]['source']): Subject[] | undefined {
  if (config.type === 'on-behalf-of') return config.subject === undefined ? ['caller-token', 'identity-provider-token'] : [config.subject];
  if (config.type !== 'caller-token') return undefined;
  return config.from === undefined ? ['caller-token', 'identity-provider-token'] : [config.from === 'caller' ? 'caller-token' : 'identity-provider-token'];
}

const noSubject: Omit<Warning, 'pointer'> = {
  code: 'subject_token_missing',
  detail: 'No caller of this server has the token that this is made of: people who log in (agentAuth interactive) have that of their identity provider, and callers whose JWT is validated (agentAuth passthrough with jwt) have their own.',
};
