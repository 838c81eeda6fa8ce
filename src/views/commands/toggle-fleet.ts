/** `Fleet: Toggle Fleet Mode`, and what becomes of claimed jobs when it is turned off (fleet-protocol.md, rule 1). */
import * as vscode from 'vscode';
import type { Fleet } from '../../fleet/fleet.ts';
import { UserError } from '../../platform/errors.ts';
import type { Stage } from '../../runner/stages.ts';
import type { App } from '../app.ts';
import { setFleetEnabled } from '../fleet/enabled.ts';
import { mention } from '../report.ts';
import { askFleet } from './fleet.ts';
import type { Handler } from './handler.ts';

const UNSETTLED: readonly Stage[] = ['assigned', 'building', 'review', 'testing'];

/** Takes effect without a reload: the home is opened anew, with the fleet or without it. */
export const toggleFleet: Handler = async (app) => {
  const { home, t } = app;
  if (home.fleetMode === 'off') {
    await setFleetEnabled(true);
    return mention(t('Fleet mode is on; jobs are claimed while the runner is on.'));
  }
  const { fleet } = home;
  const facts = fleet?.facts();
  if (fleet !== undefined && facts !== undefined && facts.leases.length > 0) {
    const isOff = facts.leaving ? await leaveNow(app, fleet) : await leave(app, fleet);
    if (!isOff) return;
  } else if (await claimedElsewhere(app)) {
    throw new UserError(
      'no-runner',
      t('Claimed jobs of this home are in the hands of a runner in another window or process.'),
      t('Turn fleet mode off there, or wait until they are settled. Nothing was changed.'),
    );
  }
  await setFleetEnabled(false);
  mention(t('Fleet mode is off.'));
};

/** Asks what becomes of the leases. True: fleet mode is to be turned off at once. */
async function leave(app: App, fleet: Fleet): Promise<boolean> {
  const { t } = app;
  const leases = fleet.facts().leases;
  const [keep, release, cancel] = [t('Keep Until Done'), t('Release Them'), t('Cancel the Jobs')];
  const detail = [
    t('Nothing more is claimed from now on, and fleet mode ends when the last of them is settled.'),
    t('Keep Until Done: they go on, with the connection, to their end.'),
    t('Release Them: their processes are ended, and other factories can have them; their work is kept.'),
    t('Cancel the Jobs: the same, and they are listed as cancelled by you.'),
  ].join('\n');
  const question =
    leases.length === 1
      ? t('This laptop holds a claimed job.')
      : t('This laptop holds {0} claimed jobs.', leases.length);
  const answer = await vscode.window.showWarningMessage(
    question,
    { modal: true, detail },
    keep,
    release,
    cancel,
  );
  if (answer === undefined) return false;
  await askFleet(app, { fleet: 'leave' });
  if (answer === release) {
    for (const { id, standing } of leases)
      if (standing !== 'landing') await askFleet(app, { fleet: 'release', id });
  }
  if (answer === cancel) {
    const factory = await app.home.factory();
    // A job that has come to its end meanwhile cannot be cancelled, and need not be.
    for (const { id } of leases) await factory.execute({ verb: 'cancel', id });
  }
  mention(t('Fleet mode ends when the last lease is settled.'));
  return false;
}

/** It is being left already, but something holds it up. */
async function leaveNow(app: App, fleet: Fleet): Promise<boolean> {
  const { t } = app;
  const [now, stay] = [t('Turn Off Now'), t('Stay in the Fleet')];
  const detail = t(
    'Turned off now, nothing of them leaves this machine until fleet mode is on again. Their engines go on; the coordinator gives them to others when their leases lapse.',
  );
  const question = t('Fleet mode ends when {0} leases are settled.', fleet.facts().leases.length);
  const answer = await vscode.window.showWarningMessage(question, { modal: true, detail }, now, stay);
  if (answer === stay) await askFleet(app, { fleet: 'resume' });
  if (answer === now) await fleet.operator.leave();
  return answer === now;
}

/** Whether claimed jobs of this home are not settled; whoever runs them has their leases. */
async function claimedElsewhere({ home }: App): Promise<boolean> {
  const { stages, runner } = await (await home.factory()).board();
  const isClaimed = stages.some(
    ({ stage, rows }) => UNSETTLED.includes(stage) && rows.some(({ claim }) => claim !== undefined),
  );
  return isClaimed && runner.kind === 'elsewhere';
}
