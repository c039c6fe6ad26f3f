import { z } from 'zod';
import { settingSchemas as schemas } from '../settings.ts';
import { readPairs } from './read-pairs.ts';
import { samplerNames } from './sampler.ts';

const endpoint = schemas.url('http:', 'https:').refine((value) => !URL.canParse(value) || new URL(value).username === '', 'must not have a user name or password in it: OTEL_EXPORTER_OTLP_HEADERS is for those');

const pairs = 'must be key=value, comma-separated, values percent-encoded';

/** A header's characters are bytes (RFC 9110 section 5.5): of any other one each batch would fail. */
const isSendable = (text: string): boolean => readPairs(text)?.every(([, value]) => /^[\x20-\xff]*$/.test(value)) === true;

/** Each plane's, by the names of OpenTelemetry's environment variable specification. They are read where traces are wanted, and only there. */
export const tracingSettings = {
  OTEL_SDK_DISABLED: { schema: schemas.text.optional(), description: 'true: nothing is traced, whatever else is set' },
  OTEL_TRACES_EXPORTER: { schema: z.literal('otlp', 'must be otlp or none').default('otlp'), description: 'otlp, or none: nothing is traced. Default otlp' },
  OTEL_EXPORTER_OTLP_ENDPOINT: { schema: endpoint.optional(), description: 'Where spans go, by OTLP over HTTP: the URL of a collector, to which /v1/traces is added. Without it nothing is traced, and nothing else of OTEL_* is read' },
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: { schema: endpoint.optional(), description: 'The same, as it stands: nothing is added' },
  OTEL_EXPORTER_OTLP_PROTOCOL: { schema: z.literal('http/json', 'must be http/json: the other forms of OTLP are not spoken').default('http/json'), description: 'http/json, which is the default here' },
  OTEL_EXPORTER_OTLP_HEADERS: {
    schema: schemas.secret.refine((value) => isSendable(value.reveal()), `${pairs}, of Latin-1`).optional(),
    secret: true,
    description: 'Headers for the collector: key=value, comma-separated, values percent-encoded',
  },
  OTEL_EXPORTER_OTLP_TIMEOUT: { schema: schemas.integer(100, 600_000).default(10_000), description: 'Milliseconds that the collector may take for a batch. Default 10000' },
  OTEL_BSP_SCHEDULE_DELAY: { schema: schemas.integer(10, 600_000).default(5_000), description: 'Milliseconds that a span waits for others. Default 5000' },
  OTEL_BSP_MAX_QUEUE_SIZE: { schema: schemas.integer(1, 1_000_000).default(8_192), description: 'Spans that wait at most, of about 1 KB each; more are lost, and counted. Default 8192' },
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: { schema: schemas.integer(1, 10_000).default(512), description: 'Spans in a batch at most. Default 512' },
  OTEL_TRACES_SAMPLER: {
    schema: z.enum(samplerNames, `must be one of ${samplerNames.join(', ')}`).default('parentbased_always_on'),
    description: `Which traces are kept: ${samplerNames.join(', ')}. Default parentbased_always_on`,
  },
  OTEL_TRACES_SAMPLER_ARG: { schema: z.coerce.number('must be a number from 0 to 1').min(0, 'must be a number from 0 to 1').max(1, 'must be a number from 0 to 1').default(1), description: 'Of those, the part that a sampler with traceidratio keeps, from 0 to 1. Default 1' },
  OTEL_SERVICE_NAME: { schema: schemas.text.optional(), description: 'service.name of the spans. Default gatehouse-<role>' },
  OTEL_RESOURCE_ATTRIBUTES: { schema: schemas.text.refine((value) => readPairs(value) !== undefined, pairs).optional(), description: 'What spans say of this process besides: key=value, comma-separated, values percent-encoded' },
} as const;
