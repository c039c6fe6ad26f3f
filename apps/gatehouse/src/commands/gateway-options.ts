import { Command, Option } from 'commander';

/** Where the gateway is; what is absent comes from the environment or from the instance that `gatehouse up` wrote down. */
export interface GatewayOptions {
  readonly dataDir?: string;
}

/** A command that talks to a running gateway. */
export const gatewayCommand = (name: string): Command =>
  new Command(name).addOption(new Option('--data-dir <directory>', 'of the "gatehouse up" to talk to (default: the nearest .gatehouse)'));

export const gatewayEnvironmentHelp = `
Another gateway than the one of "gatehouse up" is named by the environment:
  GATEHOUSE_CONTROL_PLANE_URL, GATEHOUSE_TOKEN (or GATEHOUSE_TOKEN_FILE), GATEHOUSE_DATA_PLANE_URL`;
