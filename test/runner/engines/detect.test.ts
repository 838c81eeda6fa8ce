import assert from 'node:assert/strict';
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { capabilities, hasCapability, type Machine } from '../../../src/runner/engines/capabilities.ts';
import type { EngineDescriptor } from '../../../src/runner/engines/descriptor.ts';
import type * as Detect from '../../../src/runner/engines/detect.ts';
import { detectEngines, findEngine, versionIn } from '../../../src/runner/engines/detect.ts';
import { engineCatalog } from '../../../src/runner/engines/registry.ts';
import { Scratch } from './scratch.ts';

function engine(name: string): EngineDescriptor {
  const descriptor = engineCatalog({ [name]: { executable: name } }).descriptors.get(name);
  assert.ok(descriptor);
  return descriptor;
}

/** A place whose PATH holds the scratch folder first; the system's tools are there for the scripts. */
function placeOf(scratch: Scratch, more: Record<string, string> = {}) {
  return { env: { PATH: `${scratch.folder}:${process.env['PATH']}`, ...more }, platform: process.platform };
}

describe('detectEngines', () => {
  it('finds what is there with its version, and says what is missing, in the order asked', async () => {
    using scratch = new Scratch();
    scratch.program('good', '#!/bin/sh\necho "good-cli 1.22.333-beta.4 (build 5)"\n');
    scratch.program('onstderr', '#!/bin/sh\necho v2.0 >&2\n');
    const detected = await detectEngines(['absent', 'good', 'onstderr'].map(engine), placeOf(scratch));
    assert.deepEqual(
      detected.map((each) => [each.name, each.found && each.version]),
      [
        ['absent', false],
        ['good', '1.22.333-beta.4'],
        ['onstderr', '2.0'],
      ],
    );
  });

  it('finds programs that hang, crash or print garbage, without version, and lets none of them go on', async () => {
    using scratch = new Scratch();
    scratch.program(
      'hangs',
      `#!/bin/sh\necho 1.2.3\ntrap '' TERM\necho $$ > "${scratch.path('pid')}"\nwhile :; do sleep 0.05; done\n`,
    );
    scratch.program('crashes', '#!/bin/sh\necho 1.2.3\nexit 3\n');
    scratch.program('garbage', '#!/bin/sh\nhead -c 300000 /dev/urandom | tr -d "0-9."\n');
    scratch.program('nonsense', '#!/no/such/interpreter\n');
    scratch.program('reads', '#!/bin/sh\nread line && echo "$line"; echo 7.7\n');
    const names = ['hangs', 'crashes', 'garbage', 'nonsense', 'reads'];
    const detected = await detectEngines(names.map(engine), { ...placeOf(scratch), timeoutMs: 300 });
    assert.deepEqual(
      detected.map((each) => each.found && each.version),
      [undefined, undefined, undefined, undefined, '7.7'],
    );
    const pid = Number(readFileSync(scratch.path('pid'), 'utf8'));
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  }).timeout(10_000);

  it('asks in an empty scratch HOME that is gone afterwards, without credentials', async () => {
    using scratch = new Scratch();
    const seen = scratch.path('seen');
    scratch.program(
      'writes',
      `#!/bin/sh\nls -A "$HOME" | grep -v '^tmp$'\nenv > "${seen}"\nmkdir -p "$HOME/.config" && echo x > "$HOME/.config/rc"\necho 1.0\n`,
    );
    const place = placeOf(scratch, {
      HOME: scratch.path('real'),
      OPENAI_API_KEY: 'sk-12345678',
      GH_TOKEN: 'forge',
    });
    const [detected] = await detectEngines([engine('writes')], place);
    assert.equal(detected?.found && detected.version, '1.0');
    const env = readFileSync(seen, 'utf8');
    const home = /^HOME=(.*)$/m.exec(env)?.[1] ?? '';
    assert.match(home, /agent-queue-version-/);
    assert.equal(existsSync(home), false);
    assert.equal(existsSync(scratch.path('real')), false);
    assert.doesNotMatch(env, /sk-12345678|forge/);
  });

  it('asks again only when the file has changed, across processes with a cache file', async () => {
    using scratch = new Scratch();
    const calls = scratch.path('calls');
    const cacheFile = scratch.path('versions.json');
    const write = (version: string) =>
      scratch.program('counted', `#!/bin/sh\necho x >> "${calls}"\necho ${version}\n`);
    const ask = async () => {
      const [detected] = await detectEngines([engine('counted')], { ...placeOf(scratch), cacheFile });
      return detected?.found ? detected.version : undefined;
    };
    const count = () => readFileSync(calls, 'utf8').split('x').length - 1;
    const file = write('1.0');
    assert.deepEqual([await ask(), await ask(), count()], ['1.0', '1.0', 1]);
    write('2.0');
    utimesSync(file, new Date(), new Date(Date.now() + 5000));
    assert.deepEqual([await ask(), count()], ['2.0', 2]);
    assert.equal(Object.keys(JSON.parse(readFileSync(cacheFile, 'utf8')) as object).length, 1);

    // Another process knows only the file: what stands there is believed.
    writeFileSync(cacheFile, readFileSync(cacheFile, 'utf8').replace('2.0', '2.0-kept'));
    const fresh = '../../../src/runner/engines/detect.ts?another-process';
    const other = (await import(fresh)) as typeof Detect;
    const [kept] = await other.detectEngines([engine('counted')], { ...placeOf(scratch), cacheFile });
    assert.deepEqual([kept?.found && kept.version, count()], ['2.0-kept', 2]);
    writeFileSync(cacheFile, '{"not a key": "1.0"');
    assert.equal(await ask(), '2.0');
  });

  it('asks at most two at a time', async () => {
    using scratch = new Scratch();
    const log = scratch.path('log');
    const names = ['a', 'b', 'c', 'd', 'e'];
    for (const name of names)
      scratch.program(name, `#!/bin/sh\necho + >> "${log}"\nsleep 0.1\necho - >> "${log}"\necho 1.0\n`);
    await detectEngines(names.map(engine), placeOf(scratch));
    let running = 0;
    let most = 0;
    for (const sign of readFileSync(log, 'utf8').trim().split('\n')) {
      running += sign === '+' ? 1 : -1;
      most = Math.max(most, running);
    }
    assert.equal(most, 2);
  });

  it('reads versions as programs print them', () => {
    assert.equal(versionIn('2.1.330 (Claude Code)'), '2.1.330');
    assert.equal(versionIn('codex-cli 0.169.0'), '0.169.0');
    assert.equal(versionIn('GitHub Copilot CLI 1.0.102.\nRun …'), '1.0.102');
    assert.equal(versionIn('0.0.1790142911-g7618fb (released 2026-09-23)'), '0.0.1790142911-g7618fb');
    assert.equal(versionIn('no version'), undefined);
  });
});

describe('capabilities', () => {
  const machineOf = (scratch: Scratch): Machine => ({
    env: { PATH: scratch.folder },
    platform: 'linux',
    arch: 'x64',
    engines: engineCatalog().descriptors,
  });

  it('lists system, processor and the engines that are there; tools are looked for when asked', () => {
    using scratch = new Scratch();
    scratch.program('claude', '#!/bin/sh\nexit 1\n');
    scratch.program('docker', '#!/bin/sh\nexit 1\n');
    const machine = machineOf(scratch);
    assert.deepEqual(capabilities(machine), ['os:linux', 'arch:x64', 'engine:shell', 'engine:claude']);
    const has = (capability: string) => hasCapability(capability, machine);
    assert.deepEqual(
      ['os:linux', 'arch:x64', 'engine:claude', 'engine:shell', 'tool:docker'].map(has),
      Array(5).fill(true),
    );
    const lacking = [
      'os:windows',
      'arch:arm64',
      'engine:codex',
      'engine:none',
      'tool:podman',
      'tool:',
      'tool:../claude',
      'gpu',
      '',
    ];
    assert.deepEqual(lacking.filter(has), []);
    assert.equal(hasCapability('os:windows', { ...machine, platform: 'win32' }), true);
    assert.equal(
      findEngine(engineCatalog().descriptors.get('codex') as EngineDescriptor, machine),
      undefined,
    );
  });
});
