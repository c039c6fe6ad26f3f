/** The process's environment. Commands take from it what they need, once, and hand it on as plain values. */
export type Environment = Readonly<Record<string, string | undefined>>;

export const environment: Environment = process.env;

/** Only the settings of the gateway, and of OpenTelemetry: what the planes are started with. */
export function gatehouseSettings(from: Environment = environment): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const [name, value] of Object.entries(from)) {
    if (/^(?:GATEHOUSE|OTEL)_/.test(name) && value !== undefined) settings[name] = value;
  }
  return settings;
}
