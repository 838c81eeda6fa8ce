/** What a person can set for a runner; the same for a window and for `aq` (kept in the home's config.json). */
import * as z from 'zod/mini';
import { readIfThere, writeDurable } from '../platform/files.ts';
import type { Budget } from './budget.ts';
import type { Layout } from './home/layout.ts';

export interface Settings {
  /** How many jobs run at once. */
  readonly maxParallel: number;
  /** The engine of jobs that name none. */
  readonly engine?: string;
  /** Engines beyond the built-in ones, by name; checked where they are used. */
  readonly engines?: unknown;
  /** Folders of clones, for jobs that name a `repo`. */
  readonly repositories: readonly string[];
  /** How many days a settled result stays in quarantine; 0: for ever. */
  readonly quarantineDays: number;
  /** Ceilings on what jobs may use; absent: none. */
  readonly budget?: Budget;
  /** What was set for the fleet; the runner only carries it, so that a window and `aq` agree. */
  readonly fleet?: FleetSettings;
}

/** See fleet/config.ts, where they are read. */
export interface FleetSettings {
  readonly enabled?: boolean;
  readonly api?: string;
  readonly productId?: string;
  readonly factoryId?: string;
  readonly leaseRenewSec?: number;
  readonly capabilities?: readonly string[];
  readonly allowEngines?: readonly string[];
  readonly allowRoots?: readonly string[];
  readonly allowYolo?: boolean;
  readonly allowCommands?: boolean;
  readonly pushCheckpoints?: boolean;
}

/** What was set, by a person in the editor's settings. */
export type ExplicitSettings = Partial<Settings>;

const DEFAULT_MAX_PARALLEL = 2;
const DEFAULT_QUARANTINE_DAYS = 30;

const configSchema = z.object({
  maxParallel: z.optional(z.number()),
  engine: z.optional(z.string()),
  engines: z.optional(z.unknown()),
  repositories: z.optional(z.array(z.string())),
  quarantineDays: z.optional(z.number()),
  budget: z.optional(
    z.object({
      perJobUsd: z.optional(z.number()),
      perJobTokens: z.optional(z.number()),
      perDayUsd: z.optional(z.number()),
      perDayTokens: z.optional(z.number()),
    }),
  ),
  fleet: z.optional(
    z.object({
      enabled: z.optional(z.boolean()),
      api: z.optional(z.string()),
      productId: z.optional(z.string()),
      factoryId: z.optional(z.string()),
      leaseRenewSec: z.optional(z.number()),
      capabilities: z.optional(z.array(z.string())),
      allowEngines: z.optional(z.array(z.string())),
      allowRoots: z.optional(z.array(z.string())),
      allowYolo: z.optional(z.boolean()),
      allowCommands: z.optional(z.boolean()),
      pushCheckpoints: z.optional(z.boolean()),
    }),
  ),
});

/**
 * What is in force: an explicit setting wins over the environment, the environment over the default
 * (fleet-protocol.md, "Configuration").
 */
export function effectiveSettings(explicit: ExplicitSettings, env: NodeJS.ProcessEnv): Settings {
  const parallel = explicit.maxParallel ?? positiveInteger(env['AQ_MAX_PARALLEL']) ?? DEFAULT_MAX_PARALLEL;
  const engine = explicit.engine ?? (env['AQ_ENGINE'] || undefined);
  const budget = effectiveBudget(explicit.budget ?? {}, env);
  return {
    maxParallel: parallel,
    repositories: explicit.repositories ?? [],
    quarantineDays:
      explicit.quarantineDays ?? wholeNumber(env['AQ_QUARANTINE_DAYS']) ?? DEFAULT_QUARANTINE_DAYS,
    ...(Object.keys(budget).length > 0 && { budget }),
    ...(engine !== undefined && { engine }),
    ...(explicit.engines !== undefined && { engines: explicit.engines }),
  };
}

/** The ceilings in force; what is no number above zero counts as not set. */
function effectiveBudget(explicit: Budget, env: NodeJS.ProcessEnv): Budget {
  const ceilings = BUDGET_VARIABLES.map(
    ([key, variable]) =>
      [key, positive(explicit[key]) ?? positive(Number(env[variable] || undefined))] as const,
  );
  return Object.fromEntries(ceilings.filter(([, ceiling]) => ceiling !== undefined));
}

const BUDGET_VARIABLES = [
  ['perJobUsd', 'AQ_BUDGET_PER_JOB_USD'],
  ['perJobTokens', 'AQ_BUDGET_PER_JOB_TOKENS'],
  ['perDayUsd', 'AQ_BUDGET_PER_DAY_USD'],
  ['perDayTokens', 'AQ_BUDGET_PER_DAY_TOKENS'],
] as const;

function positive(value: number | undefined): number | undefined {
  return value !== undefined && Number.isFinite(value) && value > 0 ? value : undefined;
}

/** The settings that the editor has left in the home for `aq`. What can't be read counts as nothing set. */
export async function readSharedSettings(layout: Layout): Promise<ExplicitSettings> {
  try {
    const parsed = configSchema.safeParse(JSON.parse((await readIfThere(layout.config)) ?? '{}'));
    return parsed.success ? (parsed.data as ExplicitSettings) : {};
  } catch {
    return {};
  }
}

export async function writeSharedSettings(layout: Layout, explicit: ExplicitSettings): Promise<void> {
  const text = `${JSON.stringify(explicit, null, 1)}\n`;
  if ((await readIfThere(layout.config)) !== text) await writeDurable(layout.config, text);
}

function positiveInteger(text: string | undefined): number | undefined {
  return wholeNumber(text) || undefined;
}

/** From 0 on. */
function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text.trim()) ? Number(text) : undefined;
}
