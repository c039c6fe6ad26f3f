import manifest from '../package.json' with { type: 'json' };

/** The version of this build; all packages of the workspace share it. */
export const version: string = manifest.version;
