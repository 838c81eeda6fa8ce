/** A job's way through the editor, with the real factory: every step by the command that a person would use. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';

const HOME = process.env['AQ_HOME'] ?? '';
const WORKSPACE = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '';

const JOB = `---
engine: shell
cwd: ${WORKSPACE}
---
# Greet the world

\`\`\`sh
echo "now writing"
echo hello > greeting.txt
\`\`\`
`;

const run = (command: string, ...args: unknown[]): Thenable<unknown> =>
  vscode.commands.executeCommand(`agentQueue.${command}`, ...args);
const git = (...args: string[]): string => execFileSync('git', args, { cwd: WORKSPACE, encoding: 'utf8' });
const jobFile = (stage: string, id: string): string => path.join(HOME, stage, `${id}.md`);

/** Resolves when the job has come into the stage. */
async function arrives(stage: string, id: string): Promise<void> {
  const watcher = watch(path.join(HOME, stage));
  try {
    while (!existsSync(jobFile(stage, id))) await once(watcher, 'change');
  } finally {
    watcher.close();
  }
}

/** Resolves with the first value that holds, looked for at each event. */
async function eventually<T>(event: vscode.Event<unknown>, look: () => T | undefined): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  const check = (): void => {
    const found = look();
    if (found !== undefined) resolve(found);
  };
  const subscription = event(check);
  check();
  return promise.finally(() => subscription.dispose());
}

const tabNamed = (words: RegExp) => (): vscode.Tab | undefined =>
  vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs).find(({ label }) => words.test(label));

describe('inbox', () => {
  before(async () => {
    await vscode.commands.executeCommand('agentQueue.inbox.focus');
  });
  after(async () => {
    await run('runner.stop');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('leaves a marker while the runner is wanted', async () => {
    await run('runner.start');
    assert.ok(existsSync(path.join(HOME, 'runner.on')));
    await run('runner.stop');
    assert.ok(!existsSync(path.join(HOME, 'runner.on')));
    await run('runner.start');
  });

  it('takes a file as a job, and leaves the file where it is', async () => {
    const file = path.join(WORKSPACE, 'greet.md');
    await writeFile(file, JOB);
    await run('job.add', vscode.Uri.file(file));
    await arrives('review', 'greet');
    assert.ok(existsSync(file));
    assert.ok(!existsSync(path.join(WORKSPACE, 'greeting.txt')));
  });

  it('shows the log of a job', async () => {
    await run('job.log', 'greet');
    const document = vscode.window.activeTextEditor?.document;
    assert.equal(document?.uri.scheme, 'agent-queue-log');
    assert.match(document.getText(), /now writing/);
  });

  it('shows the whole change of a job in one editor', async () => {
    await run('job.changes', 'greet');
    await eventually(vscode.window.tabGroups.onDidChangeTabs, tabNamed(/^Changes of “Greet the world”/));
    const document = await eventually(vscode.workspace.onDidOpenTextDocument, changedDocument);
    assert.equal(document.getText(), 'hello\n');
  });

  it('ships what has been approved', async () => {
    await run('job.approve', 'greet');
    assert.ok(existsSync(jobFile('testing', 'greet')));
    await run('job.ship', 'greet');
    assert.ok(existsSync(jobFile('shipped', 'greet')));
    assert.equal(git('show', 'main:greeting.txt'), 'hello\n');
  });

  it('refuses what the stage does not allow, and changes nothing', async () => {
    await run('job.retry', 'greet');
    assert.ok(existsSync(jobFile('shipped', 'greet')));
  });

  it('makes a job of a draft, and closes the draft', async () => {
    await run('runner.stop');
    await run('job.new');
    const draft = vscode.window.activeTextEditor?.document;
    assert.ok(draft?.isUntitled);
    assert.match(draft.getText(), /^---\nengine: shell\ncwd: .+\n/);
    await run('job.add', draft.uri);
    await arrives('inbox', 'what-is-to-be-done');
    assert.ok(draft.isClosed);
  });

  it('cancels a queued job without a question, and keeps its file', async () => {
    await run('job.cancel', 'what-is-to-be-done');
    await arrives('failed', 'what-is-to-be-done');
  });
});

function changedDocument(): vscode.TextDocument | undefined {
  return vscode.workspace.textDocuments.find(({ uri }) => uri.scheme === 'agent-queue-git');
}
