import { interpose } from './interpose.ts';
interpose();
process.env['PATH'] = '/usr/bin:/bin';
const { run } = await import('./fleet/run.ts');
const { planOf } = await import('./fleet/plan.ts');
const [from = 1, to = 1, trace] = process.argv.slice(2).map(Number);
setImmediate(() => {
  const t = process.hrtime.bigint();
  let days = 0, fails = 0, steps = 0;
  for (let seed = from; seed <= to; seed += 1) {
    const plan = planOf(seed);
    const o = run(plan, trace === 1);
    days += (o.took / 86400000) * plan.machines.length; steps += o.steps;
    if (trace === 1) console.log(o.world.trace.text(), o.world.trace.digest());
    if (o.violation) { fails++; console.log(seed, o.violation.message.slice(0, 400)); }
    if (trace === 2) console.log(seed, o.took/3600000, o.steps, JSON.stringify(o.tally));
  }
  const s = Number(process.hrtime.bigint() - t) / 1e9;
  console.log({ seeds: to - from + 1, fails, s, days, steps, perMin: (days / s) * 60, x: days*86400/s });
});
