import * as vscode from 'vscode';
import { SETTINGS, SETTINGS_SECTION } from '../contributions.ts';

/** Turns fleet mode on or off for all windows; each takes it into force by opening its home anew. */
export function setFleetEnabled(enabled: boolean): Thenable<void> {
  return vscode.workspace
    .getConfiguration(SETTINGS_SECTION)
    .update(SETTINGS.fleetEnabled, enabled, vscode.ConfigurationTarget.Global);
}
