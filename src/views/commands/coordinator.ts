/** `Fleet: Start Local Coordinator`, `Stop Local Coordinator` and `Join…`. */
import { readFile } from 'node:fs/promises';
import * as vscode from 'vscode';
import { checkedAddress } from '../../fleet/address.ts';
import { fleetConfig } from '../../fleet/config.ts';
import { enrol, enrolmentTokenFor } from '../../fleet/enrol.ts';
import { factoryIdOf } from '../../fleet/factory-id.ts';
import { messageOf, UserError } from '../../platform/errors.ts';
import type { App } from '../app.ts';
import { SETTINGS, SETTINGS_SECTION } from '../contributions.ts';
import { startCoordinator as start, stopCoordinator as stop } from '../coordinator/process.ts';
import { explicitSettings } from '../explicit-settings.ts';
import { setFleetEnabled } from '../fleet/enabled.ts';
import { keepToken } from '../fleet/token.ts';
import { mention } from '../report.ts';
import type { Handler } from './handler.ts';

/** Starts it, and lets this laptop join it, unless it is in another fleet already. */
export const startCoordinator: Handler = async (app) => {
  const { home, t } = app;
  await home.factory();
  const { api, tokenFile } = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: t('Starting the coordinator…') },
    () => start(home.folder, home.cli),
  );
  const explicit = explicitSettings().fleet ?? {};
  const named = explicit.api ?? process.env['AQ_FLEET_API'];
  const isElsewhere = home.fleetMode !== 'off' && named !== undefined && named.replace(/\/+$/, '') !== api;
  if (isElsewhere) {
    const join = t('Join It');
    const text = t('The coordinator listens on {0}. This laptop is in another fleet, at {1}.', api, named);
    if ((await vscode.window.showInformationMessage(text, join)) !== join) return;
  }
  mustHoldNoLease(app, api);
  const { factoryId, productId } = await identity(home.folder);
  const adminToken = (await readFile(tokenFile, 'utf8')).trim();
  const enrolmentToken = await enrolmentTokenFor({ api, adminToken, factoryId, productId });
  await joined(app, api, await enrol({ api, enrolmentToken, factoryId, productId }));
  mention(t('The coordinator listens on {0}, and this laptop has joined it.', api));
};

export const stopCoordinator: Handler = async ({ home, t }) => {
  mention(
    (await stop(home.folder))
      ? t('The local coordinator has stopped. Its jobs are kept, and no lease was taken.')
      : t('No coordinator of this home is running.'),
  );
};

/** Asks for an address and an enrolment token; ends with this factory's own token in the secret storage. */
export const joinFleet: Handler = async (app) => {
  const { home, t } = app;
  await home.factory();
  const config = fleetConfig(explicitSettings().fleet ?? {}, process.env);
  const address = await vscode.window.showInputBox({
    title: t('Join a Fleet (1/2)'),
    prompt: t('The address of the coordinator'),
    value: config.api,
    ignoreFocusOut: true,
    validateInput: (value) => problemOf(() => checkedAddress(value.trim())),
  });
  if (address === undefined) return;
  const api = checkedAddress(address.trim());
  mustHoldNoLease(app, api);
  const enrolmentToken = await vscode.window.showInputBox({
    title: t('Join a Fleet (2/2)'),
    prompt: t('The enrolment token from whoever runs it (`aq coordinator token`); it can be used once'),
    password: true,
    ignoreFocusOut: true,
    validateInput: (value) => (value.trim() === '' ? t('Paste the enrolment token.') : undefined),
  });
  if (enrolmentToken === undefined) return;
  const { factoryId, productId } = await identity(home.folder);
  const token = await enrol({ api, enrolmentToken: enrolmentToken.trim(), factoryId, productId });
  await joined(app, api, token);
  mention(t('{0} has joined the fleet at {1}.', factoryId, api));
};

async function identity(folder: string): Promise<{ factoryId: string; productId: string | undefined }> {
  const { factoryId, productId } = fleetConfig(explicitSettings().fleet ?? {}, process.env);
  return { factoryId: factoryId ?? (await factoryIdOf(folder)), productId };
}

/** The token first: fleet mode must not come on without it. */
async function joined({ home }: App, api: string, token: string): Promise<void> {
  await keepToken(home.secrets, api, token);
  const settings = vscode.workspace.getConfiguration(SETTINGS_SECTION);
  await settings.update(SETTINGS.fleetApi, api, vscode.ConfigurationTarget.Global);
  const wasOn = home.fleetMode === 'on';
  await setFleetEnabled(true);
  // With the settings as they were nothing would take the new token into force.
  if (wasOn) await home.reopen();
}

/** A lease belongs to the coordinator that gave it: under another address than its own it could not be settled. */
function mustHoldNoLease({ home, t }: App, api: string): void {
  const facts = home.fleet?.facts();
  const held = facts?.leases.length ?? 0;
  if (held === 0 || facts?.api === api) return;
  throw new UserError(
    'leases-held',
    t('This laptop holds {0} leases of the fleet that it is in. Nothing was changed.', held),
    t('Leave that one first, with “Fleet: Toggle Fleet Mode”.'),
  );
}

function problemOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
