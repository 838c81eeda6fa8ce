/** Claimed jobs, from the runner's side: what a fleet may ask of it, and what it does without one. */
import assert from 'node:assert/strict';
import fs, { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FleetCommand } from '../../../src/runner/board.ts';
import { localIdOf, materialise } from '../../../src/runner/claimed/materialise.ts';
import type { Factory } from '../../../src/runner/factory.ts';
import { Store } from '../../../src/runner/home/store.ts';
import {
  type AdoptionWish,
  type AttachedRunner,
  type ClaimedJob,
  type ClaimPolicy,
  type Holding,
  type Hooks,
  offline,
  type Permission,
  type Transition,
} from '../../../src/runner/hooks.ts';
import {
  closeFactories,
  openTestFactory,
  processesOf,
  waitForJob,
  waitForStage,
  waitUntil,
} from '../support/factory.ts';
import { fullDisk } from '../support/full-disk.ts';
import { jobFile, script } from '../support/job-file.ts';
import { git, scratchFolder, scratchHome, scratchRepo } from '../support/scratch.ts';

const ANYTHING: Omit<ClaimPolicy, 'roots'> = { engines: ['shell'], yolo: true, commands: true };

/** A fleet that says yes to everything, and that a test can make say something else. */
class Fleet implements Hooks {
  runner: AttachedRunner | undefined;
  holdings: readonly Holding[] = [];
  readonly told: Transition[] = [];
  readonly asked: string[] = [];
  answer: Permission = 'accepted';
  policy: ClaimPolicy = { ...ANYTHING, roots: ['/'] };
  readonly detach = () => offline.detach();
  readonly claim = (signal: AbortSignal) => offline.claim(signal);
  readonly status = () => [];
  readonly carryOut = (command: FleetCommand) => offline.carryOut(command);
  readonly adopt = (wish: AdoptionWish) => offline.adopt(wish);
  readonly whereabouts = (jobId: string) => offline.whereabouts(jobId);

  attach(runner: AttachedRunner, holdings: readonly Holding[]): Promise<void> {
    this.runner = runner;
    this.holdings = holdings;
    return Promise.resolve();
  }
  async transition(transition: Transition): Promise<void> {
    this.told.push(transition);
  }
  permit({ claim }: { claim?: { epoch: number } | undefined }, effect: string): Promise<Permission> {
    this.asked.push(`${effect} under ${claim?.epoch}`);
    return Promise.resolve(this.answer);
  }
}

function claimed(text: string, more: Partial<ClaimedJob> = {}): ClaimedJob {
  return { claim: { jobId: 'Job-7', epoch: 3, leaseMs: 900_000 }, text, ...more };
}

const ID = localIdOf({ jobId: 'Job-7', epoch: 3 });

describe('a claimed job', function () {
  this.timeout(20_000);
  let home: string;
  let repo: string;
  let fleet: Fleet;
  let factory: Factory;
  beforeEach(async () => {
    home = scratchHome();
    repo = scratchRepo();
    fleet = new Fleet();
    factory = await openTestFactory(home, { hooks: fleet });
    await factory.startRunner();
  });
  afterEach(closeFactories);

  const give = async (job: ClaimedJob) => (await (fleet.runner as AttachedRunner).materialise(job)).id;

  it('has an id with job and epoch in it, legal and distinct whatever the coordinator calls it', () => {
    const ids = ['job', 'Job', 'a..b', 'x.lock', 'con', 'A'.repeat(128)].map((jobId) =>
      localIdOf({ jobId, epoch: 12 }),
    );
    assert.equal(ids[0], 'job-e12');
    assert.equal(new Set(ids).size, ids.length);
    for (const id of ids) {
      assert.match(id, /^[a-z0-9][a-z0-9._-]{0,127}-e12$/);
      git(repo, 'check-ref-format', `refs/heads/agent-queue/${id}`);
    }
  });

  it('never lies in the inbox, runs as any other, and carries its claim with every transition', async () => {
    assert.equal(await give(claimed(jobFile({ cwd: repo }))), ID);
    const row = await waitForStage(factory, ID, 'review');
    assert.deepEqual(row.claim, { jobId: 'Job-7', epoch: 3 });
    assert.deepEqual(
      fleet.told.map(({ from, to, claim }) => `${from} ${to} ${claim?.epoch}`),
      ['assigned building 3', 'building review 3'],
    );
    assert.equal(fleet.told[1]?.checkpoint?.wipBranch, `refs/agent-queue/${ID}/wip`);
  });

  it('is one job, however often its claim is answered', async () => {
    const log = path.join(scratchFolder(), 'log');
    const job = claimed(jobFile({ cwd: repo, body: script(`echo once >> '${log}'; echo x > x`) }));
    assert.deepEqual(await Promise.all([give(job), give(job).catch(() => ID)]), [ID, ID]);
    await waitForStage(factory, ID, 'review');
    await give(job);
    assert.equal(readFileSync(log, 'utf8'), 'once\n');
    assert.deepEqual(readdirSync(path.join(home, 'review')), [`${ID}.md`]);
  });

  it('is one job also where its claim is answered again while it is being moved', async () => {
    const job = claimed(jobFile({ cwd: repo, body: script('sleep 300') }));
    await give(job);
    await waitForJob(factory, ID, ({ stage, activity }) => stage === 'building' && activity !== undefined);
    const { stat } = fs.promises;
    const unseen = (file: fs.PathLike) =>
      String(file).endsWith(`${ID}.md`) ? stat(`${String(file)}.away`) : stat(file);
    fs.promises.stat = unseen as typeof stat;
    syncBuiltinESMExports();
    try {
      assert.deepEqual(await fleet.runner?.materialise(job), { id: ID, stage: 'building' });
      assert.equal((await fleet.runner?.standing(ID))?.stage, 'building');
    } finally {
      fs.promises.stat = stat;
      syncBuiltinESMExports();
    }
    assert.deepEqual(await new Store(home).stagesOf(ID), ['building']);
    assert.equal((await new Store(home).readState(ID))?.stage, 'building');
  });

  it('makes way for a job of this laptop that has its name already', async () => {
    const own = await factory.add(jobFile({ cwd: scratchFolder(), review: 'skip' }), ID);
    await waitForStage(factory, own, 'shipped');
    const job = claimed(jobFile({ cwd: repo }));
    const id = await give(job);
    assert.deepEqual([own, id], [ID, `${ID}-2`]);
    await waitForStage(factory, id, 'review');
    assert.equal(await give(job), id);
  });

  for (const verb of ['approve', 'sendBack', 'reject'] as const)
    it(`goes into quarantine although a person says ${verb} in the same moment`, async () => {
      await give(claimed(jobFile({ cwd: repo })));
      await waitForStage(factory, ID, 'review');
      const revoked = fleet.runner?.revoked(ID, { code: 'fenced', text: 'Epoch 4 has it.' });
      const answer = await factory.execute({ verb, id: ID, text: 'Once more.' });
      await revoked;
      const row = await waitForStage(factory, ID, verb === 'reject' && answer.ok ? 'failed' : 'quarantine');
      assert.ok(answer.ok || ['moved', 'not-now', 'fenced'].includes(answer.code ?? ''), answer.code);
      // What is known of it is of the stage that it is in.
      const state = JSON.parse(readFileSync(path.join(home, 'runs', ID, 'state.json'), 'utf8'));
      assert.equal(state.stage, row.stage);
    });

  it('is taken away when there is room, where the disk is full as it is fenced', async () => {
    await give(claimed(jobFile({ cwd: repo })));
    await waitForStage(factory, ID, 'review');
    const disk = fullDisk('/quarantine/');
    const revoked = fleet.runner?.revoked(ID, { code: 'fenced', text: 'Epoch 4 has it.' });
    try {
      await waitUntil(factory, () => Promise.resolve(disk.refused() > 0 || undefined));
      assert.equal((await factory.job(ID))?.stage, 'review');
    } finally {
      disk[Symbol.dispose]();
    }
    await revoked;
    assert.equal((await factory.job(ID))?.stage, 'quarantine');
  });

  it('is taken away also where it is moved on the very moment before', async () => {
    await give(claimed(jobFile({ cwd: repo })));
    await waitForStage(factory, ID, 'review');
    const { rename } = fs.promises;
    let moves = 0;
    fs.promises.rename = (from, to) => {
      if (String(from) === path.join(home, 'review', `${ID}.md`) && (moves += 1) === 1)
        renameSync(from, path.join(home, 'testing', `${ID}.md`));
      return rename(from, to);
    };
    syncBuiltinESMExports();
    try {
      await fleet.runner?.revoked(ID, { code: 'fenced', text: 'Epoch 4 has it.' });
    } finally {
      fs.promises.rename = rename;
      syncBuiltinESMExports();
    }
    assert.equal(moves, 1);
    assert.deepEqual(await new Store(home).stagesOf(ID), ['quarantine']);
    assert.equal((await new Store(home).readState(ID))?.stage, 'quarantine');
    assert.ok(fleet.told.some(({ to }) => to === 'quarantine'));
  });

  it('is ended at once where the disk is full as it is fenced, and moved when there is room', async () => {
    await give(claimed(jobFile({ cwd: repo, body: script('echo up; sleep 300') })));
    await waitForStage(factory, ID, 'building');
    const disk = fullDisk('/quarantine/');
    const revoked = fleet.runner?.revoked(ID, { code: 'fenced', text: 'Epoch 4 has it.' });
    try {
      await waitUntil(factory, () => Promise.resolve(disk.refused() > 0 || undefined));
      await sleep(500);
      assert.ok(disk.refused() <= 2, `tried ${disk.refused()} times in half a second`);
      assert.equal((await factory.job(ID))?.stage, 'building');
      assert.equal((await processesOf(home)).length, 0);
    } finally {
      disk[Symbol.dispose]();
    }
    await revoked;
    assert.equal((await factory.job(ID))?.stage, 'quarantine');
  });

  it('is in work once, where the fleet asks for it while a new runner takes it up', async () => {
    await give(claimed(jobFile({ cwd: repo, review: 'skip' })));
    fleet.answer = 'unanswered';
    await waitForJob(factory, ID, ({ reason }) => reason?.code === 'held');
    await factory.dispose();
    const { readFile } = fs.promises;
    const slowly = async (...args: Parameters<typeof readFile>) => {
      if ((args[0] as string).endsWith('state.json')) await sleep(300);
      return readFile(...args);
    };
    fs.promises.readFile = slowly as typeof readFile;
    syncBuiltinESMExports();
    const next = new Fleet();
    // As long as nobody answers a second one at work would ask as well.
    next.permit = async (job, effect) => {
      await Fleet.prototype.permit.call(next, job, effect);
      await sleep(600);
      return 'accepted';
    };
    const attach = next.attach.bind(next);
    next.attach = async (runner, holdings) => {
      await attach(runner, holdings);
      void runner.shipHeld(ID);
    };
    try {
      const second = await openTestFactory(home, { hooks: next });
      await second.startRunner();
      await waitForStage(second, ID, 'shipped');
    } finally {
      fs.promises.readFile = readFile;
      syncBuiltinESMExports();
    }
    assert.deepEqual(next.asked, ['merge under 3']);
  });

  it('is asked for again although what it was told before is only just coming to disk', async () => {
    fleet.answer = 'unanswered';
    const { rename } = fs.promises;
    fs.promises.rename = async (from, to) => {
      if (String(to).endsWith('state.json') && fleet.asked.length > 0) await sleep(200);
      return rename(from, to);
    };
    syncBuiltinESMExports();
    try {
      await give(claimed(jobFile({ cwd: repo, review: 'skip' })));
      await waitUntil(factory, () => Promise.resolve(fleet.asked.length > 0 || undefined));
      fleet.answer = 'accepted';
      await fleet.runner?.shipHeld(ID);
      await waitForStage(factory, ID, 'shipped');
    } finally {
      fs.promises.rename = rename;
      syncBuiltinESMExports();
    }
  });

  it('that has not begun waits for fleet mode to be on again, or for a person who cancels it', async () => {
    await factory.dispose();
    const jobs = ['Job-7', 'Job-8'].map((jobId) => ({
      claim: { jobId, epoch: 3, leaseMs: 900_000 },
      text: jobFile({ cwd: repo }),
    }));
    const [first = '', second = ''] = await Promise.all(
      jobs.map(async (job) => (await materialise(new Store(home), job, Date.now())).id),
    );
    const alone = await openTestFactory(home);
    await alone.startRunner();
    for (const id of [first, second]) {
      const row = await waitForJob(alone, id, ({ reason }) => reason !== undefined);
      assert.deepEqual([row.stage, row.reason?.code], ['assigned', 'gated']);
    }
    await alone.idle();
    assert.equal((await alone.execute({ verb: 'cancel', id: second })).ok, true);
    assert.equal((await alone.job(second))?.stage, 'failed');
    await alone.dispose();

    const again = await openTestFactory(home, { hooks: new Fleet() });
    await again.startRunner();
    await waitForStage(again, first, 'review');
  });

  it('stays on its way out while fleet mode is off, where nobody knows whether it was accepted', async () => {
    await give(claimed(jobFile({ cwd: repo, review: 'skip' })));
    fleet.answer = 'unanswered';
    await waitForJob(factory, ID, ({ reason }) => reason?.code === 'held');
    await factory.dispose();

    const alone = await openTestFactory(home);
    await alone.startRunner();
    await waitForJob(alone, ID, ({ reason }) => reason?.code === 'gated');
    const refused = await alone.execute({ verb: 'reject', id: ID, text: 'No.' });
    assert.deepEqual([refused.ok, refused.code], [false, 'on-its-way']);
    await alone.dispose();

    const again = new Fleet();
    const third = await openTestFactory(home, { hooks: again });
    await third.startRunner();
    assert.deepEqual(
      again.holdings.map(({ stage, isShipping }) => [stage, isShipping]),
      [['testing', true]],
    );
    await waitForStage(third, ID, 'shipped');
  });

  it('lands only after permission, and then may land for ever', async () => {
    await give(claimed(jobFile({ cwd: repo })));
    await waitForStage(factory, ID, 'review');
    fleet.answer = 'held';
    assert.equal((await factory.execute({ verb: 'approve', id: ID })).ok, true);
    const before = git(repo, 'rev-parse', 'main');
    assert.equal((await factory.execute({ verb: 'ship', id: ID })).code, 'held');
    assert.equal(git(repo, 'rev-parse', 'main'), before);
    fleet.answer = 'accepted';
    await fleet.runner?.shipHeld(ID);
    await waitForStage(factory, ID, 'shipped');
    assert.notEqual(git(repo, 'rev-parse', 'main'), before);
    assert.deepEqual(fleet.asked, ['merge under 3', 'merge under 3']);
    const state = JSON.parse(readFileSync(path.join(home, 'runs', ID, 'state.json'), 'utf8')) as {
      claim: { mayLand: boolean };
    };
    assert.equal(state.claim.mayLand, true);
  });

  it('asks also when there is nothing to land', async () => {
    await give(claimed(jobFile({ cwd: scratchFolder(), review: 'skip' })));
    await waitForStage(factory, ID, 'shipped');
    assert.deepEqual(fleet.asked, ['finish under 3']);
  });

  it('goes to quarantine with its work when it is fenced at the last moment', async () => {
    fleet.answer = 'fenced';
    const before = git(repo, 'rev-parse', 'main');
    await give(claimed(jobFile({ cwd: repo, review: 'skip' })));
    const row = await waitForStage(factory, ID, 'quarantine');
    assert.equal(row.reason?.code, 'fenced');
    assert.equal(git(repo, 'rev-parse', 'main'), before);
    assert.equal((await factory.changes(ID)).files.length, 1);
    assert.equal((await factory.execute({ verb: 'ship', id: ID })).ok, false);
  });

  it('is ended with its whole process tree when it is taken away, and quarantined', async () => {
    await give(
      claimed(jobFile({ cwd: repo, body: script('echo half > half.txt; (sleep 60 &) ; sleep 60') })),
    );
    await waitForJob(factory, ID, ({ stage }) => stage === 'building');
    while (!(await processesOf(home)).length) await new Promise((resolve) => setTimeout(resolve, 10));
    const asked = performance.now();
    await fleet.runner?.revoked(ID, { code: 'fenced', text: 'mac-studio has it under epoch 4.' });
    // At once: not by way of SIGINT and its 7.5 seconds.
    assert.ok(performance.now() - asked < 5000);
    assert.deepEqual(await processesOf(home), []);
    const row = await waitForStage(factory, ID, 'quarantine');
    assert.equal(row.reason?.text, 'mac-studio has it under epoch 4.');
  });

  it('is quarantined from review as well, and failed when it was only given back', async () => {
    await give(claimed(jobFile({ cwd: repo })));
    await waitForStage(factory, ID, 'review');
    await fleet.runner?.revoked(ID, { code: 'fenced', text: 'Stale.' });
    await waitForStage(factory, ID, 'quarantine');
    const other = { claim: { jobId: 'other', epoch: 1, leaseMs: 1 }, text: jobFile({ cwd: repo }) };
    await give(other);
    await waitForStage(factory, 'other-e1', 'review');
    await fleet.runner?.revoked('other-e1', { code: 'released', text: 'Given back.' });
    await waitForStage(factory, 'other-e1', 'failed');
  });

  it('that breaks the laptop’s policy fails before any of it has run', async () => {
    fleet.policy = { ...fleet.policy, commands: false };
    const log = path.join(scratchFolder(), 'log');
    await give(claimed(jobFile({ cwd: repo, setup: `echo ran > '${log}'` })));
    const row = await waitForStage(factory, ID, 'failed');
    assert.equal(row.reason?.code, 'declined');
    assert.equal(existsSync(log), false);
    assert.equal(fleet.told.at(-1)?.reasonCode, 'declined');
    assert.equal((await factory.execute({ verb: 'retry', id: ID })).code, 'claimed');
  });

  it('that works outside the allowed folders fails before its worktree is made', async () => {
    fleet.policy = { ...fleet.policy, roots: [scratchFolder()] };
    await give(claimed(jobFile({ cwd: repo })));
    assert.equal((await waitForStage(factory, ID, 'failed')).reason?.code, 'declined');
    assert.equal(git(repo, 'worktree', 'list').split('\n').length, 1);
  });

  it('sent back, it runs again under the same claim, and not by way of the inbox', async () => {
    await give(claimed(jobFile({ cwd: repo, body: script('echo more >> result.txt') })));
    await waitForStage(factory, ID, 'review');
    await factory.execute({ verb: 'sendBack', id: ID, text: 'Once more.' });
    await waitForJob(factory, ID, ({ stage }) => stage === 'review' && fleet.told.length >= 5);
    assert.deepEqual(
      fleet.told.map(({ to }) => to),
      ['building', 'review', 'assigned', 'building', 'review'],
    );
  });

  it('is not tried again by this laptop when it fails', async () => {
    await give(claimed(jobFile({ cwd: repo, retries: 3, body: script('exit 1') })));
    await waitForStage(factory, ID, 'failed');
  });

  it('goes on from an earlier holder’s work, here or on the remote, and says so where it cannot be had', async () => {
    const parent = script('git log -1 --format=%s > parent.txt');
    const remote = path.join(scratchFolder(), 'remote.git');
    git(repo, 'clone', '-q', '--bare', '.', remote);
    git(repo, 'remote', 'add', 'origin', remote);
    const wipBranch = 'refs/agent-queue/Job-7-e2/wip';
    const elsewhere = scratchRepo();
    git(elsewhere, 'pull', '-q', '--no-rebase', '--allow-unrelated-histories', remote, 'main');
    git(elsewhere, 'commit', '-q', '--allow-empty', '-m', 'half of it');
    git(elsewhere, 'push', '-q', remote, `HEAD:${wipBranch}`);
    const startFrom = { wipBranch, wipCommit: git(elsewhere, 'rev-parse', 'HEAD') };
    const earlier = [{ factoryId: 'mac-studio', epoch: 2, stage: 'building' }];
    await give(claimed(jobFile({ cwd: repo, body: parent }), { startFrom, earlier }));
    const { folder } = await waitForStage(factory, ID, 'review');
    assert.equal(readFileSync(path.join(folder ?? '', 'parent.txt'), 'utf8'), 'half of it\n');
    const notes = (id: string) =>
      JSON.parse(readFileSync(path.join(home, `runs/${id}/state.json`), 'utf8')).notes;
    assert.match(notes(ID)[0], /^mac-studio had it before under epoch 2, and came to building\.$/);
    assert.match(notes(ID)[1], /goes on from/);

    for (const [name, branch] of [
      ['lost', wipBranch],
      // What comes from a coordinator must not be able to write a branch here.
      ['odd', '+refs/heads/main:refs/heads/planted'],
    ] as const) {
      const wanted = { wipBranch: branch, wipCommit: 'f'.repeat(40) };
      const claim = { jobId: name, epoch: 1, leaseMs: 1 };
      await give({ claim, startFrom: wanted, text: jobFile({ cwd: repo, body: parent }) });
      await waitForStage(factory, `${name}-e1`, 'review');
      assert.equal(git(repo, 'for-each-ref', 'refs/heads/planted'), '');
      assert.match(
        notes(`${name}-e1`)[0],
        /neither in this clone nor on its remote; it starts from the base/,
      );
    }
  });

  it('has its work written to its own ref on the remote, but never what lies in a person’s own checkout', async () => {
    const remote = path.join(scratchFolder(), 'remote.git');
    git(repo, 'clone', '-q', '--bare', '.', remote);
    git(repo, 'remote', 'add', 'origin', remote);
    await give(claimed(jobFile({ cwd: repo })));
    await waitForStage(factory, ID, 'review');
    const { signal } = new AbortController();
    const checkpointOf = (id: string) => {
      const { wipBranch, wipCommit } = JSON.parse(
        readFileSync(path.join(home, `runs/${id}/state.json`), 'utf8'),
      ).result;
      return { wipBranch, wipCommit };
    };
    const work = checkpointOf(ID);
    await fleet.runner?.pushCheckpoint(ID, work, signal);
    assert.equal(git(remote, 'rev-parse', work.wipBranch), work.wipCommit);
    assert.deepEqual(git(remote, 'branch', '--format=%(refname)').split('\n'), ['refs/heads/main']);

    const claim = { jobId: 'here', epoch: 1, leaseMs: 900_000 };
    writeFileSync(path.join(repo, 'private.txt'), 'not yours');
    await give({ claim, text: jobFile({ cwd: repo, worktree: false }) });
    await waitForStage(factory, 'here-e1', 'review');
    const here = checkpointOf('here-e1');
    await fleet.runner?.pushCheckpoint('here-e1', here, signal);
    assert.throws(() => git(remote, 'rev-parse', '--verify', '-q', here.wipBranch));
  });

  it('is told to the fleet again after a restart; without a fleet nothing of it leaves', async () => {
    await give(claimed(jobFile({ cwd: repo })));
    await waitForStage(factory, ID, 'review');
    await factory.dispose();
    const again = new Fleet();
    const second = await openTestFactory(home, { hooks: again });
    await second.startRunner();
    assert.deepEqual(
      again.holdings.map(({ id, claim, stage }) => [id, claim.epoch, stage]),
      [[ID, 3, 'review']],
    );
    await second.dispose();

    const alone = await openTestFactory(home);
    const before = git(repo, 'rev-parse', 'main');
    await alone.execute({ verb: 'approve', id: ID });
    const refused = await alone.execute({ verb: 'ship', id: ID });
    assert.deepEqual([refused.ok, refused.code], [false, 'gated']);
    assert.match(refused.message, /fleet mode is off/);
    assert.equal(git(repo, 'rev-parse', 'main'), before);
  });
});
