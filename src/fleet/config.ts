/** How this laptop takes part in a fleet (fleet-protocol.md, "Configuration"). Pure. */
import os from 'node:os';
import path from 'node:path';
import { SECOND } from '../platform/clock.ts';
import type { ClaimPolicy, FleetSettings } from '../runner/hooks.ts';

export interface FleetConfig {
  readonly api: string;
  readonly productId?: string;
  /** Undefined: one is made and kept in the home. */
  readonly factoryId?: string;
  readonly renewEveryMs: number;
  /** Replaces the detected ones. */
  readonly capabilities?: readonly string[];
  readonly policy: ClaimPolicy;
  /** Whether work in progress is brought to the job's own ref on its remote (rule 10). */
  readonly pushCheckpoints: boolean;
  /** What was set and can't be used, in words; the default is in force instead. */
  readonly problems: readonly string[];
}

const DEFAULT_API = 'http://localhost:4003/api';
const DEFAULT_RENEW_SEC = 300;

/** An explicit setting wins over the environment, the environment over the default. The token is not part of it. */
export function fleetConfig(explicit: FleetSettings, env: NodeJS.ProcessEnv): FleetConfig {
  const problems: string[] = [];
  const variable = (name: string) => env[name]?.trim() || undefined;
  const productId = explicit.productId ?? variable('AQ_PRODUCT_ID');
  const factoryId = explicit.factoryId ?? variable('AQ_FACTORY_ID');
  const capabilities = explicit.capabilities ?? list(variable('AQ_FLEET_CAPS'), ',');
  // Set, but to nothing: nothing is allowed.
  const engines = explicit.allowEngines ?? list(env['AQ_FLEET_ALLOW_ENGINES'], ',');
  const roots = explicit.allowRoots ?? list(env['AQ_FLEET_ALLOW_ROOTS'], path.delimiter);
  return {
    api: explicit.api ?? variable('AQ_FLEET_API') ?? DEFAULT_API,
    ...(productId !== undefined && { productId }),
    ...(factoryId !== undefined && { factoryId }),
    renewEveryMs: renewSec(explicit.leaseRenewSec, variable('AQ_FLEET_LEASE_RENEW_SEC'), problems) * SECOND,
    ...(capabilities !== undefined && { capabilities }),
    policy: {
      engines,
      roots: (roots ?? ['~']).map(expandHome),
      yolo: explicit.allowYolo ?? flag('AQ_FLEET_ALLOW_YOLO', variable, problems),
      commands: explicit.allowCommands ?? flag('AQ_FLEET_ALLOW_COMMANDS', variable, problems),
    },
    pushCheckpoints: explicit.pushCheckpoints ?? flag('AQ_FLEET_PUSH_CHECKPOINTS', variable, problems, true),
    problems,
  };
}

function renewSec(explicit: number | undefined, text: string | undefined, problems: string[]): number {
  const value = explicit ?? (text === undefined ? DEFAULT_RENEW_SEC : Number(text));
  if (Number.isFinite(value) && value > 0) return value;
  problems.push(
    `AQ_FLEET_LEASE_RENEW_SEC is ${text ?? value}, but must be a number of seconds above 0; ${DEFAULT_RENEW_SEC} is used.`,
  );
  return DEFAULT_RENEW_SEC;
}

function flag(
  name: string,
  variable: (name: string) => string | undefined,
  problems: string[],
  otherwise = false,
): boolean {
  const text = variable(name)?.toLowerCase();
  if (text === undefined) return otherwise;
  if (['0', '1', 'true', 'false'].includes(text)) return text === '1' || text === 'true';
  problems.push(`${name} is ${text}, but must be 0 or 1; 0 is used.`);
  return false;
}

function list(text: string | undefined, separator: string): string[] | undefined {
  const values = text?.split(separator).map((each) => each.trim());
  return values?.filter((each) => each !== '');
}

function expandHome(folder: string): string {
  return folder === '~' || folder.startsWith('~/') ? path.join(os.homedir(), folder.slice(1)) : folder;
}

/** A setting in force, and where it comes from. */
export interface Provenance {
  readonly variable: string;
  readonly value: string;
  readonly from: 'setting' | 'environment' | 'default';
}

/** What is in force and where it comes from, for the status page; the token is not part of it. */
export function provenanceOf(explicit: FleetSettings, env: NodeJS.ProcessEnv): Provenance[] {
  const config = fleetConfig(explicit, env);
  const { policy } = config;
  const values: readonly (readonly [string, keyof FleetSettings, string])[] = [
    [
      'AQ_FLEET',
      'enabled',
      explicit.enabled === undefined ? (env['AQ_FLEET'] ?? '0') : flagText(explicit.enabled),
    ],
    ['AQ_FLEET_API', 'api', config.api],
    ['AQ_PRODUCT_ID', 'productId', config.productId ?? ''],
    ['AQ_FACTORY_ID', 'factoryId', config.factoryId ?? ''],
    ['AQ_FLEET_LEASE_RENEW_SEC', 'leaseRenewSec', String(config.renewEveryMs / SECOND)],
    ['AQ_FLEET_CAPS', 'capabilities', config.capabilities?.join(',') ?? ''],
    ['AQ_FLEET_ALLOW_ENGINES', 'allowEngines', policy.engines?.join(',') ?? ''],
    ['AQ_FLEET_ALLOW_ROOTS', 'allowRoots', policy.roots.join(path.delimiter)],
    ['AQ_FLEET_ALLOW_YOLO', 'allowYolo', flagText(policy.yolo)],
    ['AQ_FLEET_ALLOW_COMMANDS', 'allowCommands', flagText(policy.commands)],
    ['AQ_FLEET_PUSH_CHECKPOINTS', 'pushCheckpoints', flagText(config.pushCheckpoints)],
  ];
  return values.map(([variable, key, value]) => ({
    variable,
    value,
    from: explicit[key] !== undefined ? 'setting' : env[variable]?.trim() ? 'environment' : 'default',
  }));
}

function flagText(value: boolean): string {
  return value ? '1' : '0';
}
