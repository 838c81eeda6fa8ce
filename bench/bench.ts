/** `npm run bench [-- SECTION…]`: prints what things cost, side by side in one run. Ratios carry over to other machines; figures do not. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { benchActivation } from './activation.ts';
import { benchBundles } from './bundles.ts';
import { benchCoordinator } from './coordinator.ts';
import { benchFleet } from './fleet.ts';
import { benchInbox } from './inbox.ts';
import { benchJobs } from './jobs.ts';
import { benchQuarantine } from './quarantine.ts';

const SECTIONS: Readonly<Record<string, () => Promise<void>>> = {
  jobs: benchJobs,
  inbox: benchInbox,
  quarantine: benchQuarantine,
  fleet: benchFleet,
  coordinator: benchCoordinator,
  activation: benchActivation,
  bundles: benchBundles,
};

const asked = process.argv.slice(2);
const built = spawnSync(process.execPath, [path.join(import.meta.dirname, '../scripts/build.ts')], {
  stdio: ['ignore', 'ignore', 'inherit'],
});
if (built.status !== 0) process.exit(1);
for (const [name, section] of Object.entries(SECTIONS)) {
  if (asked.length === 0 || asked.includes(name)) await section();
}
