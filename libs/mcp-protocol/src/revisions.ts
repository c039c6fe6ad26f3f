/** The first revision of the modern era: stateless, every message self-contained. */
export const firstModernRevision = '2026-07-28';

const revisionShape = /^\d{4}-\d{2}-\d{2}$/;

/** Whether a revision belongs to the modern era. Revisions are dates, so later ones sort after earlier ones. */
export const isModernRevision = (revision: string | undefined): boolean =>
  revision !== undefined && revisionShape.test(revision) && revision >= firstModernRevision;
