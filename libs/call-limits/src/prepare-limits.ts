import { hash } from 'node:crypto';
import { ToolRules } from '@gatehouse/mcp-protocol';
import type { BucketRate } from './token-buckets.ts';

/** Whose calls a rate counts together. */
export type RateSubject = 'caller' | 'server' | 'tool' | 'caller-tool';

/** As a server's document has it. */
export interface RateConfig {
  readonly per: RateSubject;
  /** Of rates for tools: patterns of their names. All when absent. */
  readonly tools?: readonly string[] | undefined;
  readonly calls: number;
  readonly seconds: number;
  /** `calls` when absent. */
  readonly burst?: number | undefined;
  readonly shared?: boolean | undefined;
}

export interface LimitsConfig {
  readonly rates?: readonly RateConfig[] | undefined;
  readonly concurrentCalls?: ConcurrencyConfig | undefined;
}

export interface ConcurrencyConfig {
  readonly server?: number | undefined;
  readonly caller?: number | undefined;
}

/** A rate compiled for calls. */
export interface PreparedRate extends BucketRate {
  readonly per: RateSubject;
  readonly calls: number;
  readonly seconds: number;
  readonly shared: boolean;
  /** Begins the key of each of its buckets. Another one where the rate is another: its buckets are full then. */
  readonly key: string;
  /** Of rates for tools. */
  readonly mayCount: (tool: string) => boolean;
}

/** The limits of one server, compiled once per revision. */
export interface PreparedLimits {
  /** Those of the fewest calls first. */
  readonly rates: readonly PreparedRate[];
  readonly concurrentCalls: ConcurrencyConfig;
  /** Whether it has to be known which tools are called. */
  readonly byTool: boolean;
}

export const isByTool = ({ per }: Pick<RateConfig, 'per'>): boolean => per === 'tool' || per === 'caller-tool';

/** A call that is too much for its own caller must have taken nothing yet of what others share. */
const narrowFirst: readonly RateSubject[] = ['caller-tool', 'caller', 'tool', 'server'];

/** @param server workspace and id */
export function prepareLimits(server: string, { rates = [], concurrentCalls = {} }: LimitsConfig): PreparedLimits {
  const narrow = rates.toSorted((one, other) => narrowFirst.indexOf(one.per) - narrowFirst.indexOf(other.per));
  return { rates: narrow.map((rate) => prepareRate(server, rate)), concurrentCalls, byTool: rates.some(isByTool) };
}

function prepareRate(server: string, { per, tools, calls, seconds, burst = calls, shared = false }: RateConfig): PreparedRate {
  const key = `${server}\0${hash('sha256', JSON.stringify([per, tools, calls, seconds, burst, shared]), 'base64url').slice(0, 22)}`;
  return { per, calls, seconds, burst, shared, key, intervalMs: (seconds * 1_000) / calls, mayCount: tools === undefined ? () => true : new ToolRules({ allow: tools }).mayCall };
}
