/**
 * Whether there is a collector and nobody has switched tracing off. Nothing of OpenTelemetry's is read otherwise: a platform sets it for
 * all that runs on it, in forms that others understand.
 */
export function wantsTraces(environment: Readonly<Record<string, string | undefined>>): boolean {
  // OpenTelemetry, environment variable specification: whatever is not "true" is false, and empty is not set.
  if (environment['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || environment['OTEL_TRACES_EXPORTER'] === 'none') return false;
  return [environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'], environment['OTEL_EXPORTER_OTLP_ENDPOINT']].some((url) => url !== undefined && url !== '');
}
