/** Names the address that must not be asked; only set by run.ts. */
export const TRAP_VARIABLE = 'AQ_TEST_TRAP';

/** What a laptop has set that is in a fleet, but for the flag; nothing unless run.ts asks for it. */
export function flagOffEnvironment(): NodeJS.ProcessEnv {
  const trap = process.env[TRAP_VARIABLE];
  if (trap === undefined) return {};
  return {
    AQ_FLEET: '0',
    AQ_FLEET_API: trap,
    AQ_FLEET_TOKEN: 'never-to-be-sent',
    AQ_PRODUCT_ID: 'acme',
    AQ_FACTORY_ID: 'laptop-1',
    AQ_FLEET_ALLOW_ENGINES: 'shell',
    AQ_FLEET_ALLOW_COMMANDS: '1',
  };
}
