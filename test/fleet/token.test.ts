/** Which token is used, what its refusal stops, and that neither it nor a prompt is seen anywhere. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openFleet } from '../../src/fleet/open.ts';
import { waitForStage } from '../runner/support/factory.ts';
import { jobFile, script } from '../runner/support/job-file.ts';
import { scratchFolder } from '../runner/support/scratch.ts';
import { TOKEN, until } from './support/laptop.ts';
import { describeInFleets, outboxOf } from './support/member.ts';

describeInFleets('the token', (it) => {
  it('uses the token that was kept for the address, unless the environment has one', async (laptop) => {
    const { stub, home, factory } = laptop;
    await factory.dispose();
    const asked: string[] = [];
    const tokenFor = async (api: string) => {
      asked.push(api);
      return 'kept';
    };
    const common = {
      home,
      capabilities: () => Promise.resolve([]),
      shadow: false,
      log: { debug() {}, info() {}, warn() {}, error() {} },
    };
    for (const [env, expected] of [
      [{}, 'Bearer kept'],
      [{ AQ_FLEET_TOKEN: 'mine' }, 'Bearer mine'],
    ] as const) {
      const joined = await openFleet({ ...common, env: { AQ_FLEET_API: stub.api, ...env }, tokenFor });
      await joined.heartbeat();
      await joined.close();
      assert.equal(stub.requests.at(-1)?.headers.authorization, expected);
    }
    assert.deepEqual(asked, [stub.api]);
  });

  it('goes on with what it has when the token is turned down, and claims nothing', async (laptop) => {
    const { stub, home, repo, log, factory, claimed, told } = laptop;
    const gate = path.join(scratchFolder(), 'go');
    const id = await claimed(
      'job-12',
      jobFile({ cwd: repo, body: script(`until [ -e '${gate}' ]; do sleep 0.05; done; echo x > x`) }),
    );
    await told('job-12');
    stub.script = () => ({ status: 401, body: { code: 'unauthorized' } });
    writeFileSync(gate, '');
    await waitForStage(factory, id, 'review');
    await until(() => log.some((line) => line.includes('turns the token down')), 'said');
    assert.equal(log.filter((line) => line.includes('turns the token down')).length, 1);
    assert.equal(outboxOf(home).length, 1);
  });

  it('leaks neither token nor prompt: not in requests, files, logs, argv or children', async (laptop) => {
    const { stub, home, repo, log, factory, claimed } = laptop;
    const prompt = 'PROMPT-SENTINEL-8642';
    const seen = path.join(scratchFolder(), 'seen');
    const body = `${prompt}\n\n${script(`env > '${seen}'; cat /proc/*/cmdline 2>/dev/null | tr '\\0' ' ' >> '${seen}'; echo x > x`)}`;
    const id = await claimed('job-15', jobFile({ cwd: repo, body }));
    await waitForStage(factory, id, 'review');
    await until(() => stub.reported('job-15').length === 2, 'reports');
    for (const request of stub.requests) {
      assert.equal(request.raw.includes(prompt) || request.path.includes(prompt), false, request.path);
      assert.equal(request.raw.includes(TOKEN) || request.path.includes(TOKEN), false, request.path);
    }
    assert.equal(readFileSync(seen, 'utf8').includes(TOKEN), false);
    assert.equal(readFileSync(seen, 'utf8').includes(prompt), false);
    assert.equal(log.join('\n').includes(TOKEN) || log.join('\n').includes(prompt), false);
    for (const entry of readdirSync(home, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const content = readFileSync(path.join(entry.parentPath, entry.name), 'utf8');
      assert.equal(content.includes(TOKEN), false, entry.name);
    }
  });
});
