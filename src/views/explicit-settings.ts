/** The settings of the extension, as the runner wants them; read when the home is opened. */
import type { Budget } from '../runner/budget.ts';
import type { ExplicitSettings, FleetSettings } from '../runner/settings.ts';
import { SETTINGS } from './contributions.ts';
import { expandHome, explicit, fleetEnabled, text } from './settings.ts';

/** What a person has set, and nothing else: what is absent, or of another type, falls to the environment, then to the default. */
export function explicitSettings(): ExplicitSettings {
  const maxParallel = explicit(SETTINGS.maxParallel);
  const engine = text(explicit(SETTINGS.engine));
  const engines = explicit(SETTINGS.engines);
  const repositories = texts(explicit(SETTINGS.repositories));
  const quarantineDays = explicit(SETTINGS.quarantineDays);
  const budget = budgetSettings();
  const fleet = fleetSettings();
  return {
    ...(Number.isInteger(maxParallel) && Number(maxParallel) > 0 && { maxParallel: Number(maxParallel) }),
    ...(Number.isInteger(quarantineDays) &&
      Number(quarantineDays) >= 0 && { quarantineDays: Number(quarantineDays) }),
    ...(engine !== undefined && { engine }),
    ...(engines !== undefined && { engines }),
    ...(repositories !== undefined && { repositories: repositories.map(expandHome) }),
    ...(Object.keys(budget).length > 0 && { budget }),
    ...(Object.keys(fleet).length > 0 && { fleet }),
  };
}

/** The ceilings that a person has set; what is no number is none. */
function budgetSettings(): Budget {
  const ceilings = {
    perJobUsd: explicit(SETTINGS.budgetPerJobUsd),
    perJobTokens: explicit(SETTINGS.budgetPerJobTokens),
    perDayUsd: explicit(SETTINGS.budgetPerDayUsd),
    perDayTokens: explicit(SETTINGS.budgetPerDayTokens),
  };
  return Object.fromEntries(Object.entries(ceilings).filter(([, value]) => typeof value === 'number'));
}

/** What a person has set for the fleet. */
function fleetSettings(): FleetSettings {
  const api = text(explicit(SETTINGS.fleetApi));
  const productId = text(explicit(SETTINGS.fleetProductId));
  const factoryId = text(explicit(SETTINGS.fleetFactoryId));
  const leaseRenewSec = explicit(SETTINGS.fleetLeaseRenewSec);
  const enabled = fleetEnabled();
  const allowYolo = explicit(SETTINGS.fleetAllowYolo);
  const allowCommands = explicit(SETTINGS.fleetAllowCommands);
  const pushCheckpoints = explicit(SETTINGS.fleetPushCheckpoints);
  const capabilities = texts(explicit(SETTINGS.fleetCapabilities));
  const allowEngines = texts(explicit(SETTINGS.fleetAllowEngines));
  const allowRoots = texts(explicit(SETTINGS.fleetAllowRoots));
  return {
    ...(enabled !== undefined && { enabled }),
    ...(api !== undefined && { api }),
    ...(productId !== undefined && { productId }),
    ...(factoryId !== undefined && { factoryId }),
    ...(typeof leaseRenewSec === 'number' && { leaseRenewSec }),
    ...(capabilities !== undefined && { capabilities }),
    ...(allowEngines !== undefined && { allowEngines }),
    ...(allowRoots !== undefined && { allowRoots }),
    ...(typeof allowYolo === 'boolean' && { allowYolo }),
    ...(typeof allowCommands === 'boolean' && { allowCommands }),
    ...(typeof pushCheckpoints === 'boolean' && { pushCheckpoints }),
  };
}

function texts(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.map(text).filter((each) => each !== undefined) : undefined;
}
