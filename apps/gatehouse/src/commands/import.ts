import { Command, Option } from 'commander';
import type { ImportGraphqlOptions, ImportOptions } from '../imports/import-api.ts';
import type { Finish } from './finish.ts';
import { gatewayCommand, gatewayEnvironmentHelp } from './gateway-options.ts';
import { collected } from './option-values.ts';

export const importCommand = (finish: Finish): Command =>
  new Command('import')
    .description('Make tools of an HTTP API: register a server for it, or import it again.')
    .addCommand(openapiCommand(finish))
    .addCommand(graphqlCommand(finish))
    .addHelpText('after', gatewayEnvironmentHelp);

const openapiCommand = (finish: Finish): Command =>
  withCommonOptions(gatewayCommand('openapi'))
    .description('Make a tool of each operation of an OpenAPI document (3.0, 3.1, Swagger 2.0).')
    .argument('<document>', 'its URL, a file, or - for standard input')
    .option('--upstream <url>', 'where the API is (default: as its document says)')
    .addHelpText('after', openapiHelp)
    .action((document: string, options: ImportOptions) => finish(import('../imports/import-api.ts').then(({ importOpenapi }) => importOpenapi(document, options))));

const graphqlCommand = (finish: Finish): Command =>
  withCommonOptions(gatewayCommand('graphql'))
    .description('Make a tool of each query and mutation of a GraphQL API.')
    .argument('<url>', 'of the API; it is asked for its schema where none is given')
    .option('--schema <file>', 'its schema (SDL, or what introspection answered), or - for standard input')
    .addHelpText('after', graphqlHelp)
    .action((url: string, options: ImportGraphqlOptions) => finish(import('../imports/import-api.ts').then(({ importGraphql }) => importGraphql(url, options))));

const withCommonOptions = (command: Command): Command =>
  command
    .option('--name <name>', 'of the server (default: made of the title)')
    .option('--workspace <name>', 'workspace of the server', 'default')
    .option('--include <pattern>', 'only tools of such a name, as get*; may be repeated', collected)
    .option('--exclude <pattern>', 'no tools of such a name; may be repeated', collected)
    .option('--credential-env <variable>', 'environment variable with the API’s key or token (basic: user:password)')
    .addOption(new Option('--agent-auth <type>', 'how callers prove who they are').choices(['interactive', 'api-key', 'passthrough']).default('interactive'))
    .option('--dry-run', 'say what would be imported, or what is different, and do nothing')
    .option('--json', 'print the answer as JSON');

const openapiHelp = `
A server of that name that has its tools from the same document gets them again: what is different is shown, and what
was edited stays as it is.

Examples:
  gatehouse import openapi https://petstore3.swagger.io/api/v3/openapi.json --dry-run
  ORDERS_KEY=… gatehouse import openapi orders.yaml --upstream https://orders.example/v2 --credential-env ORDERS_KEY`;

const graphqlHelp = `
Examples:
  gatehouse import graphql https://countries.example/graphql --include 'countr*'
  GITHUB_TOKEN=… gatehouse import graphql https://api.github.com/graphql --schema schema.graphql --credential-env GITHUB_TOKEN`;
