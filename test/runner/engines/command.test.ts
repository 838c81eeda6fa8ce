import assert from 'node:assert/strict';
import { UserError } from '../../../src/platform/errors.ts';
import { canResume, commandFor } from '../../../src/runner/engines/command.ts';
import type { EngineDescriptor } from '../../../src/runner/engines/descriptor.ts';
import { engineCatalog } from '../../../src/runner/engines/registry.ts';

const { descriptors } = engineCatalog();
const UUID = '6f1c3b0e-8f0a-4a44-9d5e-0c3a1f6b2d11';

function request(name: string, more: Partial<Parameters<typeof commandFor>[0]> = {}) {
  return {
    descriptor: descriptors.get(name) as EngineDescriptor,
    executable: { path: `/bin/${name}`, command: `/bin/${name}`, args: [] },
    cwd: '/home/ada/my tree',
    promptFile: '/home/runs/prompt.md',
    sessionId: UUID,
    resume: false,
    yolo: false,
    ...more,
  };
}

describe('commandFor', () => {
  it('gives claude the prompt by standard input, names the session, and resumes it', () => {
    const { command, args, stdin } = commandFor(request('claude'));
    assert.equal(command, '/bin/claude');
    assert.equal(args.join(' '), `-p --output-format stream-json --verbose --session-id ${UUID}`);
    assert.equal(stdin, '/home/runs/prompt.md');
    const resumed = commandFor(request('claude', { resume: true, yolo: true }));
    assert.equal(
      resumed.args.join(' '),
      `-p --output-format stream-json --verbose --resume ${UUID} --dangerously-skip-permissions`,
    );
  });

  it('gives files by name, folders as one argument, and what precedes the arguments', () => {
    const devin = commandFor(request('devin'));
    assert.deepEqual([devin.stdin, devin.args], [null, ['-p', '--prompt-file', '/home/runs/prompt.md']]);
    const node = { path: 'C:\\npm\\codex.cmd', command: 'C:\\node.exe', args: ['C:\\npm\\codex.js'] };
    const codex = commandFor({ ...request('codex'), executable: node });
    assert.equal(codex.command, 'C:\\node.exe');
    assert.deepEqual(codex.args, [
      'C:\\npm\\codex.js',
      'exec',
      '--json',
      '--skip-git-repo-check',
      '-C',
      '/home/ada/my tree',
      '-',
    ]);
    assert.ok(commandFor(request('copilot', { resume: true })).args.includes(`--resume=${UUID}`));
  });

  it('tells engines that act without asking by default not to, unless the job says yolo', () => {
    const approve = (yolo: boolean) => commandFor(request('cline', { yolo })).args.at(4);
    assert.deepEqual([approve(false), approve(true)], ['false', 'true']);
    assert.deepEqual(commandFor(request('goose')).env, { GOOSE_MODE: 'approve' });
    assert.deepEqual(commandFor(request('goose', { yolo: true })).env, { GOOSE_MODE: 'auto' });
    const { env } = commandFor(request('opencode'));
    assert.equal((JSON.parse(env['OPENCODE_PERMISSION'] ?? '') as Record<string, unknown>)['*'], 'deny');
    assert.deepEqual(commandFor(request('opencode', { yolo: true })).env, {});
  });

  it('adds no yolo flag unless asked, for any engine', () => {
    for (const [name, { yoloArgs = [] }] of descriptors) {
      const careful = commandFor(request(name)).args;
      assert.deepEqual(
        careful.filter((argument) => yoloArgs.includes(argument)),
        [],
        name,
      );
      const { args } = commandFor(request(name, { yolo: true }));
      assert.deepEqual(args.slice(args.length - yoloArgs.length), yoloArgs, name);
    }
  });

  it('refuses yolo for root where the engine would', () => {
    const isRoot = (error: unknown) => error instanceof UserError && error.code === 'root';
    assert.throws(() => commandFor(request('claude', { yolo: true, root: true })), isRoot);
    assert.doesNotThrow(() => commandFor(request('claude', { root: true })));
    assert.doesNotThrow(() => commandFor(request('gemini', { yolo: true, root: true })));
  });

  it('lets root have it where a container says that it is one, and says how', () => {
    const asRoot = (env: Record<string, string>) =>
      commandFor(request('claude', { yolo: true, root: true, env }));
    assert.doesNotThrow(() => asRoot({ IS_SANDBOX: '1' }));
    assert.throws(
      () => asRoot({ IS_SANDBOX: '0' }),
      (error: unknown) => error instanceof UserError && error.action.includes('`IS_SANDBOX=1`'),
    );
  });

  it('resumes only what can be resumed', () => {
    assert.equal(canResume(descriptors.get('codex') as EngineDescriptor, UUID), true);
    assert.equal(canResume(descriptors.get('codex') as EngineDescriptor, undefined), false);
    assert.equal(canResume(descriptors.get('aider') as EngineDescriptor, UUID), false);
    assert.throws(() => commandFor(request('aider', { resume: true })), /cannot resume/);
    assert.throws(() => commandFor(request('claude', { sessionId: '' })), /needs the id/);
  });

  it('puts a value in as it is, whatever it holds', () => {
    const { args } = commandFor({ ...request('cline'), cwd: '/a/$&{yolo}' });
    assert.equal(args[2], '/a/$&{yolo}');
  });
});
