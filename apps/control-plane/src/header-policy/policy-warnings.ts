import { type EnvironmentPolicy, type GlobalHeaderPolicy, type StoredHeaderPolicy, type Warning } from '@gatehouse/gateway-config';

/** What of the document and the environment may not be meant as it is. */
export function policyWarnings(document: StoredHeaderPolicy | undefined, environment: EnvironmentPolicy, effective: GlobalHeaderPolicy): Warning[] {
  return [...environmentWins(document, environment), ...switchedOff(environment), ...namesAuthorization(document, effective)];
}

function environmentWins(document: StoredHeaderPolicy | undefined, { source }: EnvironmentPolicy): Warning[] {
  if (source === 'env') return [warning('environment_wins', '', 'GATEHOUSE_PASSTHROUGH_HEADERS_SOURCE is env: this document is stored and not used.')];
  const isPassedOver = (source ?? document?.source) === 'env' && document?.mode !== undefined;
  return isPassedOver ? [warning('environment_wins', '/source', 'With source env the list of GATEHOUSE_PASSTHROUGH_HEADERS counts: mode, list and mappings of this document are not used.')] : [];
}

function switchedOff({ enabled }: EnvironmentPolicy): Warning[] {
  return enabled ? [] : [warning('switched_off_by_environment', '/enabled', 'GATEHOUSE_HEADER_PASSTHROUGH is false: nothing passes, whatever this document says.')];
}

const authorization = 'Authorization passes only where agentAuth and appAuth of a server are both passthrough, and such a server has its own policy or forwards all: naming it here has no effect.';

function namesAuthorization({ list = [], mappings = [] }: StoredHeaderPolicy = {}, { rows }: GlobalHeaderPolicy): Warning[] {
  const pointers = [
    ...list.flatMap((name, index) => (isAuthorization(name) ? [`/list/${index}`] : [])),
    ...mappings.flatMap(({ source }, index) => (isAuthorization(source) ? [`/mappings/${index}/source`] : [])),
    ...rows.flatMap(({ source, from }, index) => (from === 'environment' && isAuthorization(source) ? [`/effective/rows/${index}`] : [])),
  ];
  return pointers.map((pointer) => warning('authorization_in_list', pointer, authorization));
}

const isAuthorization = (name: string): boolean => name.toLowerCase() === 'authorization';
const warning = (code: string, pointer: string, detail: string): Warning => ({ code, pointer, detail });
