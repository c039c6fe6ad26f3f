/** The first revision of the modern era: stateless, every message self-contained. */
export const firstModernRevision = '2026-07-28';

/** The last one before it. */
export const lastLegacyRevision = '2025-11-25';

const legacyRevisions = new Set(['2024-11-05', '2025-03-26', '2025-06-18', lastLegacyRevision]);

/** The revision that a legacy client is answered with: its own, where there is one of that name (MCP, lifecycle, version negotiation). */
export const negotiatedRevision = (asked: string): string => (legacyRevisions.has(asked) ? asked : lastLegacyRevision);

/** Whether there is a legacy revision of that name. */
export const isLegacyRevision = (revision: string): boolean => legacyRevisions.has(revision);

const revisionShape = /^\d{4}-\d{2}-\d{2}$/;

/** Whether a revision belongs to the modern era. Revisions are dates, so later ones sort after earlier ones. */
export const isModernRevision = (revision: string | undefined): boolean =>
  revision !== undefined && revisionShape.test(revision) && revision >= firstModernRevision;
