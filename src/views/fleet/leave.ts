/** Ends fleet mode when a person has asked for that and the last lease is settled. */
import type * as vscode from 'vscode';
import type { Fleet } from '../../fleet/fleet.ts';
import type { App } from '../app.ts';
import { setFleetEnabled } from './enabled.ts';
import { followFleet } from './follow.ts';

export function leaveWhenSettled(app: App): vscode.Disposable {
  const { home, log } = app;
  return followFleet(app, () => {
    const { fleet } = home;
    const facts = fleet?.facts();
    if (
      fleet === undefined ||
      facts === undefined ||
      !facts.isHere ||
      !facts.leaving ||
      facts.leases.length > 0
    )
      return;
    turnOff(fleet).catch((error: unknown) => log.error(error instanceof Error ? error : String(error)));
  });
}

async function turnOff(fleet: Fleet): Promise<void> {
  await fleet.operator.leave();
  await setFleetEnabled(false);
}
