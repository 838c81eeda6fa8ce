import * as vscode from 'vscode';
import { fleetConfig } from '../../fleet/config.ts';
import type { Fleet } from '../../fleet/fleet.ts';
import { UserError } from '../../platform/errors.ts';
import type { CommandAnswer, FleetCommand } from '../../runner/board.ts';
import type { App } from '../app.ts';
import { explicitSettings } from '../explicit-settings.ts';
import { PAGE_URI } from '../fleet/page.ts';
import { keepToken } from '../fleet/token.ts';
import { mention } from '../report.ts';
import type { Handler } from './handler.ts';

/** Opens the page at once with what is known; the heartbeat's answer fills it in. */
export const showFleetStatus: Handler = async (app) => {
  await app.home.factory();
  const document = await vscode.workspace.openTextDocument(PAGE_URI);
  await vscode.window.showTextDocument(document, { preview: true });
  await app.home.fleet?.lookElsewhere();
  await app.home.fleet?.heartbeat();
  await app.home.fleet?.lookWhy();
};

export const sendHeartbeat: Handler = async (app) => {
  const { t } = app;
  const fleet = await fleetOf(app);
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

/** Claims whatever fits, without waiting for the runner to ask. */
export const claimNext: Handler = async (app) => {
  const { t } = app;
  const answer = await askFleet(app, { fleet: 'claim' }, ['empty']);
  mention(answer.ok ? t('A job was claimed.') : t('There is no job to claim for this factory now.'));
};

export const drain: Handler = async (app) => {
  await askFleet(app, { fleet: 'drain' });
  mention(app.t('Draining: nothing more is claimed; jobs in work go on to their end.'));
};

export const resume: Handler = async (app) => {
  await askFleet(app, { fleet: 'resume' });
  mention(app.t('This factory claims jobs again.'));
};

/** Asks for the token of the coordinator in force, and keeps it in the editor's secret storage. */
export const setToken: Handler = async (app) => {
  const { t, home } = app;
  await home.factory();
  const api = fleetConfig(explicitSettings().fleet ?? {}, process.env).api.replace(/\/+$/, '');
  const token = await vscode.window.showInputBox({
    title: t('Token for {0}', api),
    prompt: t(
      'It is kept in the secret storage of the editor, and sent to this address only. Empty: it is forgotten.',
    ),
    password: true,
    ignoreFocusOut: true,
  });
  if (token === undefined) return;
  const given = token.trim();
  await keepToken(home.secrets, api, given === '' ? undefined : given);
  await home.reopen();
  const isHidden = (process.env['AQ_FLEET_TOKEN'] ?? '') !== '';
  mention(
    isHidden
      ? t('The token is kept, but the environment variable AQ_FLEET_TOKEN comes first.')
      : given === ''
        ? t('The token for {0} is forgotten.', api)
        : t('The token for {0} is kept.', api),
  );
};

/** Of a row of the Fleet view, or of what is picked from a list: asks first, because the job ends here. */
export const releaseLease: Handler = async (app, [element]) => {
  const { t } = app;
  const fleet = await fleetOf(app);
  const named = /^lease (.+)$/.exec((element as { id?: string } | undefined)?.id ?? '')?.[1];
  const leases = fleet
    .facts()
    .leases.filter(({ standing }) => !['fenced', 'ended', 'landing'].includes(standing));
  if (named === undefined && leases.length === 0) {
    void vscode.window.showInformationMessage(t('This factory holds no lease.'));
    return;
  }
  const items = leases.map(({ id, jobId, stage, epoch }) => ({
    label: jobId,
    description: `${stage} · ${t('epoch {0}', epoch)}`,
    id,
  }));
  const id =
    named ?? (await vscode.window.showQuickPick(items, { placeHolder: t('Which lease is given back?') }))?.id;
  if (id === undefined) return;
  const verb = t('Release');
  const detail = t(
    'What runs for it here is ended, and another factory can have it. What has been done is kept.',
  );
  const question = t('Give the lease of {0} back?', id);
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, verb)) !== verb) return;
  await askFleet(app, { fleet: 'release', id });
  mention(t('The lease of {0} is given back.', id));
};

/**
 * Carried out wherever the runner is, in this window or elsewhere.
 * @param answers codes of refusals that are answers as well
 * @throws UserError as the fleet refuses, or `fleet-off`
 */
export async function askFleet(
  app: App,
  command: FleetCommand,
  answers: readonly string[] = [],
): Promise<CommandAnswer> {
  const fleet = await fleetOf(app);
  const answer = await (await app.home.factory()).execute(command);
  if (!answer.ok && !answers.includes(answer.code ?? ''))
    throw new UserError(
      answer.code ?? 'refused',
      answer.message,
      answer.action ?? app.t('Look at “Fleet: Status”.'),
    );
  await fleet.lookElsewhere();
  return answer;
}

/** @throws UserError `fleet-off`: fleet mode is off, or this laptop could not join. */
async function fleetOf({ home, t }: App): Promise<Fleet> {
  await home.factory();
  if (home.fleet !== undefined) return home.fleet;
  throw new UserError(
    'fleet-off',
    home.fleetProblem ?? t('Fleet mode is off, so there is no coordinator to ask.'),
    home.fleetProblem === undefined
      ? t('Turn it on with “Fleet: Toggle Fleet Mode”.')
      : t('Correct the settings under `agentQueue.fleet`.'),
  );
}
