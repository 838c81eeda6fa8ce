/**
 * The supervisor's program (see contract.ts). It is started before it is needed and waits on its standard input for
 * its one order; when that ends without one it goes, silently.
 *
 * With an order it belongs to nobody: it ignores that its parent goes, hang-ups and interrupts. SIGTERM, which a
 * system sends to all when it shuts down, stops the run in good order, with the reason `shutdown`.
 *
 * Exit codes: 0 done, or no order came; 2 the order cannot be read; 3 begun.json could not be
 * written, so nothing was started.
 */
import { systemClock } from '../../platform/clock.ts';
import { parseOrder, readLine } from './order.ts';
import { supervise } from './supervise.ts';

async function main(): Promise<number> {
  const line = await readLine(process.stdin);
  if (line === undefined) return 0;
  process.on('SIGHUP', () => undefined).on('SIGINT', () => undefined);
  const terminated = new Promise<void>((resolve) => {
    process.on('SIGTERM', () => resolve());
  });
  let order: ReturnType<typeof parseOrder>;
  try {
    order = parseOrder(line);
  } catch {
    return 2;
  }
  try {
    await supervise(order, { clock: systemClock, terminated });
    return 0;
  } catch {
    return 3;
  }
}

process.exit(await main());
