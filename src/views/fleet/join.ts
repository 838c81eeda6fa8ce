/** This window's place in the fleet. With fleet mode off nothing of the fleet is read from disk (rule 1). */
import type { Fleet } from '../../fleet/fleet.ts';
import type { FleetMode } from '../../fleet/mode.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import type { FleetSettings } from '../../runner/settings.ts';

/** What keeps it from being joined is told in words, and keeps no local job from running. */
export async function joinFleet(options: {
  readonly mode: FleetMode;
  readonly home: string;
  readonly settings: FleetSettings | undefined;
  readonly capabilities: () => Promise<readonly string[]>;
  readonly tokenFor: (api: string) => Promise<string | undefined>;
  readonly log: Log;
}): Promise<{ readonly fleet?: Fleet; readonly problem?: string }> {
  const { mode, ...rest } = options;
  if (mode === 'off') return {};
  try {
    const { openFleet } = await import('../../fleet/open.ts');
    return { fleet: await openFleet({ ...rest, env: process.env, shadow: mode === 'shadow' }) };
  } catch (error) {
    options.log.error(error instanceof Error ? error : String(error));
    return { problem: messageOf(error) };
  }
}
