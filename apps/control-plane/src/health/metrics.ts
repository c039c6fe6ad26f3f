import { Counter, Gauge, Histogram, Registry } from 'prom-client';

export const prefix = 'gatehouse_control_plane_';

/** What the control plane counts. A registry of its own: two control planes may live in one process. */
export class Metrics {
  readonly registry = new Registry();

  readonly requests = new Histogram({
    name: `${prefix}http_request_duration_seconds`,
    help: 'Requests of the REST API, by route template, method and status.',
    labelNames: ['route', 'method', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.registry],
  });

  readonly publications = new Counter({
    name: `${prefix}snapshot_publications_total`,
    help: 'Attempts to publish a snapshot, by outcome.',
    labelNames: ['outcome'],
    registers: [this.registry],
  });

  readonly publicationDuration = new Histogram({
    name: `${prefix}snapshot_publication_duration_seconds`,
    help: 'What attempts to publish a snapshot take, by outcome; most find nothing to do.',
    labelNames: ['outcome'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [this.registry],
  });

  readonly publicationLag = new Histogram({
    name: `${prefix}snapshot_publication_lag_seconds`,
    help: 'From the commit of a change in this replica until it is in the channel.',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
    registers: [this.registry],
  });

  readonly publishedDocuments = new Counter({
    name: `${prefix}snapshot_documents_published_total`,
    help: 'Documents that were written to the channel.',
    registers: [this.registry],
  });

  readonly publishedRevision = new Gauge({
    name: `${prefix}snapshot_published_revision`,
    help: 'The revision this replica last saw in the channel.',
    registers: [this.registry],
  });

  readonly vaultHighestSealedCount = new Gauge({
    name: `${prefix}vault_highest_sealed_count`,
    help: 'Of all active data keys, how many values the most used one has sealed.',
    registers: [this.registry],
  });

  readonly vaultRotationsDue = new Gauge({
    name: `${prefix}vault_rotations_due`,
    help: 'Data keys that have sealed so much that they are due for rotation.',
    registers: [this.registry],
  });

  readonly vaultUnreadableValues = new Gauge({
    name: `${prefix}vault_unreadable_values`,
    help: 'Sealed values that rotation found and no key opens where they are.',
    registers: [this.registry],
  });

  readonly tokenRefreshes = new Counter({
    name: `${prefix}token_refreshes_total`,
    help: 'Refreshes of connections’ tokens, by outcome.',
    labelNames: ['outcome'],
    registers: [this.registry],
  });

  readonly tokenRefreshDuration = new Histogram({
    name: `${prefix}token_refresh_duration_seconds`,
    help: 'What providers take to answer a refresh, by what they answer: answered, refused, unavailable, misconfigured.',
    labelNames: ['answer'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
    registers: [this.registry],
  });

  readonly lostRotations = new Counter({
    name: 'gatehouse_lost_rotations_total',
    help: 'Connections that were lost because a provider changed a refresh token and its answer did not come to be stored.',
    registers: [this.registry],
  });

  readonly brokerAnswers = new Counter({
    name: `${prefix}broker_answers_total`,
    help: 'What data planes that asked for a token were answered.',
    labelNames: ['status'],
    registers: [this.registry],
  });

  readonly revocations = new Counter({
    name: `${prefix}provider_revocations_total`,
    help: 'Attempts to give the tokens of ended connections back to their providers, by outcome.',
    labelNames: ['outcome'],
    registers: [this.registry],
  });

  readonly logins = new Counter({
    name: `${prefix}logins_total`,
    help: 'Logins that succeeded, by method: provider, password, link.',
    labelNames: ['method'],
    registers: [this.registry],
  });

  readonly failedLogins = new Counter({
    name: `${prefix}failed_logins_total`,
    help: 'Logins that were refused, by reason: a wrong password or link, a limit, what came back from an identity provider.',
    labelNames: ['reason'],
    registers: [this.registry],
  });

  readonly auditVerifiedAt = new Gauge({
    name: `${prefix}audit_verified_timestamp_seconds`,
    help: 'When this replica last recomputed the audit chain, since the epoch; absent where it has not.',
    labelNames: ['intact'],
    registers: [this.registry],
  });

  readonly callEvents = new Counter({
    name: `${prefix}call_events_total`,
    help: 'Call events out of the stream: stored, there already (duplicate), or dropped: malformed, out_of_range, refused.',
    labelNames: ['outcome'],
    registers: [this.registry],
  });

  readonly callEventFailures = new Counter({
    name: `${prefix}call_event_failures_total`,
    help: 'Attempts to store call events that failed, and are repeated.',
    registers: [this.registry],
  });

  readonly callEventsLag = new Gauge({
    name: `${prefix}call_events_lag_seconds`,
    help: 'How long the oldest call events wait in the stream to be stored.',
    registers: [this.registry],
  });

  readonly callEventBatchesWaiting = new Gauge({
    name: `${prefix}call_event_batches_waiting`,
    help: 'Batches of call events in the stream that wait to be stored.',
    registers: [this.registry],
  });
}
