export type Capabilities = Readonly<Record<string, unknown>>;

/** Those that a virtual server passes on; tasks, extensions and what else there may be are between one client and one server. */
const passed = ['completions', 'logging', 'prompts', 'resources', 'tools'] as const;

/** What a virtual server can do: what any of its members can. */
export function mergeCapabilities(all: readonly Capabilities[]): Record<string, Record<string, true>> {
  const merged: Record<string, Record<string, true>> = {};
  for (const name of passed) {
    const declared = all.flatMap((capabilities) => (isObject(capabilities[name]) ? [capabilities[name]] : []));
    if (declared.length === 0) continue;
    merged[name] = Object.fromEntries(['listChanged', 'subscribe'].filter((flag) => declared.some((one) => one[flag] === true)).map((flag) => [flag, true as const]));
  }
  return merged;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
