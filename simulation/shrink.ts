/** Makes a run that fails shorter: leaves out what it can and still breaks the same rule. */
import { partsOf, planOf } from './fleet/plan.ts';
import { type Outcome, run } from './fleet/run.ts';

/** @param budgetMs real time after which it is left at what has been found  @returns what can be left out */
export function shrink(seed: number, left: readonly string[], rule: string, budgetMs: number): string[] {
  const until = process.hrtime.bigint() + BigInt(budgetMs) * 1_000_000n;
  const fails = (without: readonly string[]): boolean =>
    run(planOf(seed, new Set(without))).violation?.rule === rule;
  let out = [...left];
  // Large parts first: a half, a quarter, and so on down to one at a time; then again, for what that has made superfluous.
  for (
    let size = Math.ceil(partsOf(planOf(seed, new Set(out))).length / 2);
    size >= 1;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    const parts = partsOf(planOf(seed, new Set(out)));
    for (let at = 0; at < parts.length; at += size) {
      if (process.hrtime.bigint() > until) return out;
      const without = [...out, ...parts.slice(at, at + size)];
      if (fails(without)) out = without;
    }
  }
  return out;
}

export function replayed(seed: number, left: readonly string[]): Outcome {
  return run(planOf(seed, new Set(left)), true);
}
