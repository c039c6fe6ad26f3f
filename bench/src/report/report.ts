import type { ServersResult } from '../measure-servers.ts';
import type { AuthenticationReport } from './measure-authentication.ts';
import type { PropagationResult } from './measure-propagation.ts';
import type { StreamsResult } from './measure-streams.ts';
import type { Machine } from './machine.ts';
import type { ReportLength } from './report-plan.ts';

/** What `report.json` holds: all that is measured, and nothing that is derived from it. A part that was not measured is absent. */
export interface Report {
  readonly version: 1;
  /** RFC 3339 */
  readonly measuredAt: string;
  readonly seconds: number;
  readonly length: ReportLength;
  readonly machine: Machine;
  readonly authentication?: AuthenticationReport;
  /** From few to many. */
  readonly servers?: readonly ServersResult[];
  readonly streams?: StreamsResult;
  readonly propagation?: readonly PropagationResult[];
  /** Parts that ended with an error, and what it said. */
  readonly failures: readonly { readonly part: ReportPart; readonly message: string }[];
}

export const reportParts = ['authentication', 'servers', 'streams', 'propagation'] as const;
export type ReportPart = (typeof reportParts)[number];
