import * as vscode from 'vscode';
import { UserError } from '../../platform/errors.ts';
import { SETTINGS, SETTINGS_SECTION } from '../contributions.ts';
import { PAGE_URI } from '../fleet/page.ts';
import { mention } from '../report.ts';
import type { Handler } from './handler.ts';

/** Opens the page at once with what is known; the heartbeat's answer fills it in. */
export const showFleetStatus: Handler = async (app) => {
  await app.home.factory();
  const document = await vscode.workspace.openTextDocument(PAGE_URI);
  await vscode.window.showTextDocument(document, { preview: true });
  await app.home.fleet?.heartbeat();
};

export const sendHeartbeat: Handler = async (app) => {
  const { t } = app;
  await app.home.factory();
  const { fleet, fleetProblem } = app.home;
  if (fleet === undefined) {
    throw new UserError(
      'fleet-off',
      fleetProblem ?? t('Fleet mode is off, so there is no coordinator to send a heartbeat to.'),
      t('Turn it on with “Fleet: Toggle Fleet Mode”.'),
    );
  }
  await fleet.heartbeat();
  const { connection, api } = fleet.facts();
  if (connection.phase === 'reachable') return mention(t('{0} has taken the heartbeat.', api));
  throw new UserError(
    'unreachable',
    t(
      '{0} has not taken the heartbeat: {1}. Jobs in work go on.',
      api,
      connection.why ?? t('it turns the token down'),
    ),
    t('Look at “Fleet: Status”.'),
  );
};

/** Takes effect without a reload: the home is opened anew, with the fleet or without it. */
export const toggleFleet: Handler = async (app) => {
  const { t } = app;
  const isOn = app.home.fleetMode !== 'off';
  const held = app.home.fleet?.facts().leases.length ?? 0;
  if (isOn && held > 0) {
    const verb = t('Turn Off');
    const detail = t(
      'Nothing of them leaves this machine while fleet mode is off. Their engines go on; the coordinator gives them to others when their leases lapse.',
    );
    const question =
      held === 1 ? t('This laptop holds a claimed job.') : t('This laptop holds {0} claimed jobs.', held);
    const answer = await vscode.window.showWarningMessage(question, { modal: true, detail }, verb);
    if (answer !== verb) return;
  }
  await vscode.workspace
    .getConfiguration(SETTINGS_SECTION)
    .update(SETTINGS.fleetEnabled, !isOn, vscode.ConfigurationTarget.Global);
  mention(isOn ? t('Fleet mode is off.') : t('Fleet mode is on; jobs are claimed while the runner is on.'));
};
