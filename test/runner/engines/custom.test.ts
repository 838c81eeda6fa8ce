import assert from 'node:assert/strict';
import { engineCatalog } from '../../../src/runner/engines/registry.ts';

function problems(setting: unknown): string[] {
  return engineCatalog(setting).problems.map(({ place, message }) => `${place}: ${message}`);
}

describe('engineCatalog', () => {
  it('knows the built-in engines, each with what it needs', () => {
    const { descriptors, problems } = engineCatalog(undefined);
    assert.deepEqual(problems, []);
    assert.equal(
      [...descriptors.keys()].join(' '),
      'shell devin claude codex gemini qwen copilot opencode cursor-agent cline amp aider goose',
    );
    for (const engine of descriptors.values()) {
      const args = [...engine.args, ...(engine.resumeArgs ?? [])].join(' ');
      assert.equal(engine.prompt === 'file', engine.args.join(' ').includes('{promptFile}'), engine.name);
      assert.equal(engine.session === 'given', engine.args.join(' ').includes('{sessionId}'), engine.name);
      if (engine.resumeArgs) assert.ok(engine.resumeArgs.join(' ').includes('{sessionId}'), engine.name);
      assert.doesNotMatch(args.replace(/\{(cwd|promptFile|sessionId|yolo)\}/g, ''), /[{}]/, engine.name);
      for (const { match } of engine.patterns ?? []) assert.doesNotThrow(() => new RegExp(match, 'i'));
    }
    assert.equal(descriptors.get('shell')?.claimable, false);
  });

  it('adds an engine, with what most engines have in common', () => {
    const { descriptors, problems } = engineCatalog({
      mine: { executable: 'mine', args: ['go', '-'], events: { final: [{ type: 'end' }], text: ['answer'] } },
    });
    assert.deepEqual(problems, []);
    assert.deepEqual(descriptors.get('mine'), {
      name: 'mine',
      label: 'mine',
      executable: ['mine'],
      versionArgs: ['--version'],
      prompt: 'stdin',
      args: ['go', '-'],
      session: 'none',
      events: { final: [{ type: 'end' }], text: ['answer'] },
    });
  });

  it('changes only the given keys of a built-in engine', () => {
    const before = engineCatalog().descriptors.get('claude');
    const after = engineCatalog({ claude: { executable: '/opt/claude', lingerMs: 1 } }).descriptors.get(
      'claude',
    );
    assert.deepEqual(after, { ...before, executable: ['/opt/claude'], lingerMs: 1 });
    assert.deepEqual(engineCatalog().descriptors.get('claude'), before);
  });

  it('says where a fault is, and leaves the others alone', () => {
    const setting = {
      good: { executable: 'good' },
      myengine: { executable: 'x', args: ['a', 'b', 3] },
      codex: { prompt: 'pipe' },
    };
    assert.deepEqual(problems(setting), [
      'agentQueue.engines.myengine.args[2]: expected text',
      'agentQueue.engines.codex.prompt: expected `stdin` or `file`',
    ]);
    const { descriptors } = engineCatalog(setting);
    assert.ok(descriptors.has('good'));
    assert.equal(descriptors.has('myengine'), false);
    assert.equal(descriptors.get('codex')?.prompt, 'stdin');
  });

  it('knows every kind of fault', () => {
    const fault = (entry: unknown, name = 'x') => problems({ [name]: entry }).join(' | ');
    const at = 'agentQueue.engines.x';
    assert.equal(fault(7), `${at}: expected an object`);
    assert.equal(fault({}), `${at}.executable: expected the name of a program`);
    assert.equal(fault({ executable: 'x', arg: [] }), `${at}: unknown: \`arg\``);
    assert.equal(
      fault({ executable: './x' }),
      `${at}.executable[0]: expected a name that is on the PATH, or an absolute path`,
    );
    assert.match(fault({ executable: 'x', prompt: 'file' }), /\.args: expected `\{promptFile\}`/);
    assert.equal(engineCatalog({ x: { executable: './x' } }).descriptors.has('x'), false);
    assert.match(fault({ executable: 'x', session: 'given' }), /\.args: expected `\{sessionId\}`/);
    assert.match(fault({ executable: 'x', args: ['{sessionId}'] }), /needs `session` to be `given`/);
    assert.match(fault({ executable: 'x', resumeArgs: ['-r'] }), /\.resumeArgs: expected `\{sessionId\}`/);
    assert.equal(
      fault({ executable: 'x', patterns: [{ match: '(', code: 'login' }] }),
      `${at}.patterns[0].match: expected a regular expression`,
    );
    assert.match(
      fault({ executable: 'x', patterns: [{ match: 'a', code: 'lost' }] }),
      /\.code: expected one of failed, /,
    );
    assert.equal(
      fault({ executable: 'x', exitCodes: { x: { code: 'login', meaning: 'm' } } }),
      `${at}.exitCodes.x: expected an object by exit code`,
    );
    assert.match(
      fault({ executable: 'x', events: { final: [] } }),
      /\.events\.final: expected at least one event/,
    );
    assert.match(
      fault({ executable: 'x', events: { final: [{ a: null }] } }),
      /\.events\.final\[0\]\.a: expected/,
    );
    assert.match(
      fault({ executable: 'x', events: { final: [{ a: 1 }], text: [1] } }),
      /\.events\.text\[0\]: expected a path/,
    );
    assert.match(fault({ executable: 'x', lingerMs: -1 }), /\.lingerMs: expected 0 or more/);
    assert.match(fault({ args: [] }, 'shell'), /cannot be changed/);
    assert.match(
      fault({ executable: 'x' }, 'My Engine'),
      /^agentQueue\.engines\["My Engine"\]: expected a name/,
    );
    for (const setting of ['text', [], 3])
      assert.deepEqual(problems(setting), ['agentQueue.engines: expected an object of engines by name']);
    assert.deepEqual(problems(null), []);
    assert.deepEqual(problems(JSON.parse('{"__proto__": {"executable": "x"}}')).length, 1);
  });
});
