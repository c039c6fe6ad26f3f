/** Takes a command's exit code to the process. */
export type Finish = (exitCode: Promise<number>) => Promise<void>;
