import { ENDING } from './ending.ts';
import { FINISHING } from './finishing.ts';
import { LIMITED } from './limit.ts';
import { PROMPTS } from './prompts.ts';
import { ROOT } from './root.ts';
import { SCENARIOS_IN_ORDER, type Scenario } from './scenario.ts';
import { SERVICE } from './service.ts';

const KNOWN = [...FINISHING, LIMITED, ...SERVICE, ...ENDING, ...PROMPTS, ROOT];

/** Every scenario, in the order of the table. */
export const SCENARIOS: readonly Scenario[] = SCENARIOS_IN_ORDER.map((wanted) => {
  const scenario = KNOWN.find(({ name }) => name === wanted);
  if (scenario === undefined) throw new Error(`There is no scenario ${wanted}.`);
  return scenario;
});
