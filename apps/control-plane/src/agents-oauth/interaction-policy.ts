import { interactionPolicy } from 'oidc-provider';

const { Check, Prompt } = interactionPolicy;
type ResultName = 'login' | 'consent' | 'select_account';

/**
 * Every authorization request goes through our own pages once, whoever is logged in: they decide whether there is anything to ask.
 * oidc-provider remembers nobody by itself.
 */
function prompt(name: ResultName, isAlways: boolean) {
  return new Prompt(
    { name, requestable: true },
    new Check(`${name}_missing`, `${name} has not been decided yet`, (ctx) => isAlways && (ctx.oidc.result as Record<string, unknown> | undefined)?.[name] === undefined),
  );
}

export const agentInteractions = [prompt('login', true), prompt('consent', true), prompt('select_account', false)];
