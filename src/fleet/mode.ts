/** Whether this laptop is in a fleet at all: the one thing that is asked before anything of the fleet is loaded. */
export type FleetMode = 'off' | 'on' | 'shadow';

/** `AQ_FLEET`: on for 1 or true, in any case; `shadow` (rule 15); everything else is off. */
export function fleetMode(env: NodeJS.ProcessEnv): FleetMode {
  const value = env['AQ_FLEET']?.trim().toLowerCase();
  if (value === '1' || value === 'true') return 'on';
  return value === 'shadow' ? 'shadow' : 'off';
}
