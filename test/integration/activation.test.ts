import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import path from 'node:path';
import * as vscode from 'vscode';

const ID = 'agent-queue.agent-queue';

describe('activation', () => {
  it('happens by itself, in the VS Code that was asked for', async () => {
    const extension = vscode.extensions.getExtension(ID);
    assert.ok(extension, `${ID} is not installed`);
    await extension.activate();
    assert.equal(extension.isActive, true);
    const asked = process.env['AQ_TEST_VSCODE'];
    assert.ok(vscode.version.startsWith(`${asked}.`), `asked for ${asked}, got ${vscode.version}`);
  });

  it('registers every command that package.json promises', async () => {
    const extension = vscode.extensions.getExtension(ID);
    assert.ok(extension);
    await extension.activate();
    const manifest = createRequire(import.meta.url)(path.join(extension.extensionPath, 'package.json')) as {
      contributes?: { commands?: { command: string }[] };
    };
    const registered = new Set(await vscode.commands.getCommands(true));
    const promised = manifest.contributes?.commands?.map(({ command }) => command) ?? [];
    assert.ok(promised.length > 0);
    assert.deepEqual(
      promised.filter((command) => !registered.has(command)),
      [],
    );
  });
});
