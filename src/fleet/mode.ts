/** Whether this laptop is in a fleet at all: the one thing that is asked before anything of the fleet is loaded. */
export type FleetMode = 'off' | 'on' | 'shadow';

/**
 * An explicit setting wins. `AQ_FLEET`: on for 1 or true, in any case; `shadow` (rule 15); everything else is off.
 * @param enabled what a person has set in the editor
 */
export function fleetMode(env: NodeJS.ProcessEnv, enabled?: boolean): FleetMode {
  const value = env['AQ_FLEET']?.trim().toLowerCase();
  if (enabled === false) return 'off';
  if (value === 'shadow') return 'shadow';
  return enabled === true || value === '1' || value === 'true' ? 'on' : 'off';
}
