import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DAY, MINUTE, SECOND } from '../../src/platform/clock.ts';
import { errnoOf } from '../../src/platform/errors.ts';
import type { EchoTransition, TrackerEcho } from '../../src/trackers/echo.ts';
import { type OpenTrackerEcho, openTrackerEcho } from '../../src/trackers/open.ts';
import type { Stage } from '../../src/trackers/words.ts';
import { removeScratch, scratchFolder } from '../runner/support/scratch.ts';
import { HandClock } from './support/hand-clock.ts';
import { StubTracker } from './support/stub-tracker.ts';

const TOKEN = 'token-sentinel-4711';
const OTHER_TOKEN = 'token-sentinel-0815';
const ISSUE = 'https://github.com/acme/app/issues/7';
const OTHER_ISSUE = 'https://ghe.example/acme/app/issues/8';

describe('the tracker echo', function () {
  this.timeout(20_000);
  let home: string;
  let stub: StubTracker;
  let other: StubTracker;
  let clock: HandClock;
  let log: string[];
  let tokens: Record<string, string>;
  let echo: TrackerEcho;
  const closing: (() => unknown)[] = [];

  function open(more: Partial<OpenTrackerEcho> = {}): TrackerEcho {
    const write = (message: string | Error) => log.push(String(message));
    const made = openTrackerEcho({
      home,
      env: {},
      tokenFor: (host) => Promise.resolve(tokens[host]),
      clock,
      log: { debug: write, info: write, warn: write, error: write },
      apiFor: (host) => (host === 'github.com' ? stub : other).api,
      ...more,
    });
    closing.push(() => made.dispose());
    return made;
  }

  beforeEach(async () => {
    home = scratchFolder();
    clock = new HandClock();
    log = [];
    tokens = { 'github.com': TOKEN };
    stub = await StubTracker.start();
    other = await StubTracker.start();
    echo = open();
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    await stub.down();
    await other.down();
    removeScratch();
  });

  const file = () => path.join(home, 'outbox', 'tracker.json');
  const waiting = (): { issue: string; steps: unknown[] }[] => {
    try {
      return (JSON.parse(readFileSync(file(), 'utf8')) as { waiting: ReturnType<typeof waiting> }).waiting;
    } catch (error) {
      // Between two looks the last of it may have been told.
      if (errnoOf(error) === 'ENOENT') return [];
      throw error;
    }
  };
  const told = (...stages: Stage[]) => tell({}, ...stages);

  async function tell(more: Partial<EchoTransition>, ...stages: Stage[]): Promise<void> {
    for (const to of stages)
      await echo.transition({ id: 'fix-login', from: 'dead_letter', to, tracker: ISSUE, run: 1, ...more });
  }

  async function until(what: string, condition: () => boolean): Promise<void> {
    const end = performance.now() + 10_000;
    while (!condition()) {
      assert.ok(performance.now() < end, `${what}: ${JSON.stringify([stub.asked(), stub.told(), log])}`);
      await sleep(5);
    }
  }

  const sent = () => until('all is sent', () => waiting().length === 0);

  /** Time passes until all is sent. */
  const sentInTime = () =>
    until('all is sent in time', () => {
      if (waiting().length > 0) clock.pass(MINUTE);
      return waiting().length === 0;
    });

  /** What could be done by now has been, and the rest waits for its time. */
  const resting = () => until('it rests', () => clock.isAwaited);

  /** Long enough for what must not be done. */
  const quiet = () => sleep(60);

  it('makes one comment for each transition, on the job’s issue, in their order', async () => {
    const stages: Stage[] = ['assigned', 'building', 'review', 'testing', 'shipped'];
    for (const to of stages) {
      await told(to);
      await sent();
    }
    assert.deepEqual(stub.told(), stages);
    assert.deepEqual(stub.asked(), Array(5).fill('POST 7'));
    assert.match(
      stub.comments.at(-1)?.body ?? '',
      /^Agent Queue, job `490c751`: shipped\. It has been shipped\.\n\n<!-- agent-queue: 490c751 1 [0-9a-f]{12} -->\n$/,
    );
    assert.equal(new Set(stub.comments.map(({ body }) => /<!--.*-->/.exec(body)?.[0])).size, 5);
    assert.deepEqual(other.requests, []);
    assert.deepEqual(log, []);
  });

  it('has what is to be told on disk when it returns', async () => {
    stub.script = () => 'handled';
    await told('assigned');
    assert.equal(waiting().length, 1);
  });

  it('keeps the order of an issue, at most one comment a second', async () => {
    clock.passes = 0;
    await Promise.all([
      tell({ id: 'a' }, 'building'),
      tell({ id: 'b' }, 'building'),
      tell({ id: 'a' }, 'review'),
      tell({ id: 'c' }, 'failed'),
    ]);
    for (let n = 1; waiting().length > 0; n += 1) {
      await until(`${n} comments`, () => stub.comments.length === n);
      await until('it rests', () => clock.isAwaited || waiting().length === 0);
      assert.equal(stub.comments.length, n);
      clock.pass(SECOND);
    }
    const jobs = stub.comments.map(({ body }) => /`(\w+)`: (\S+?)[. ]/.exec(body)?.slice(1).join(' '));
    // The codes of a, b and c.
    const order = ['ca97811 building', '3e23e81 building', 'ca97811 review', '2e7d2c0 failed'];
    // The second of `a` may have been added to its first before that was sent.
    assert.deepEqual(
      jobs,
      order.filter((each) => jobs.includes(each)),
    );
    assert.ok(jobs.length >= 3);
  });

  it('tells what had to wait in one comment', async () => {
    clock.passes = 0;
    await stub.down();
    await told('assigned');
    await until('it has been tried', () => log.length > 0);
    await told('building', 'failed', 'queued');
    await tell({ id: 'other' }, 'building');
    await tell({ reasonCode: 'verify' }, 'failed');
    await stub.up();
    await sentInTime();
    assert.deepEqual(stub.told(), [
      'assigned → building → failed → queued again → failed (its tests did not pass)',
      'building',
    ]);
    assert.equal(log.length, 2, log.join('\n'));
    assert.match(log[0] ?? '', /^github\.com takes no comments now: nobody listens there/);
    assert.match(log[1] ?? '', /answers again/);
  });

  it('does nothing when there is nothing to do', async () => {
    await told('assigned');
    await sent();
    await quiet();
    const { length } = clock.sleeps;
    clock.pass(DAY);
    await quiet();
    assert.equal(clock.sleeps.length, length);
    assert.ok(length <= 1, `${clock.sleeps}`);
  });

  describe('says nothing', () => {
    const rows: Readonly<Record<string, Partial<EchoTransition>>> = {
      'of a claimed job': { claim: { jobId: 'job-1', epoch: 1, leaseMs: 1000 } },
      'without a tracker': { tracker: undefined },
      'to an address that is no issue': { tracker: 'https://jira.example/browse/APP-7' },
      'to an address with a password': { tracker: 'https://pat:secret@github.com/acme/app/issues/7' },
      'of a checkpoint': { from: 'building' },
    };
    for (const [name, more] of Object.entries(rows)) {
      it(name, async () => {
        await tell(more, 'building');
        await quiet();
        assert.deepEqual([stub.requests, other.requests, waiting()], [[], [], []]);
        assert.ok(!log.join().includes('secret'));
      });
    }

    it('of id, title, prompt, log, paths or what else it is told', async () => {
      const secret = 'prompt-sentinel /home/pat/app';
      const extra = { title: secret, text: secret, checkpoint: { wipBranch: secret, wipCommit: secret } };
      await tell({ ...extra, id: 'title-sentinel', reasonCode: secret }, 'blocked');
      const kept = existsSync(file()) ? readFileSync(file(), 'utf8') : '';
      await sent();
      assert.ok(!JSON.stringify(stub.requests).includes('title-sentinel'));
      const everything = JSON.stringify([stub.requests, log]) + kept;
      for (const word of ['sentinel /home', '/home/', home, 'prompt'])
        assert.ok(!everything.includes(word), word);
      assert.deepEqual(stub.told(), ['blocked']);
    });
  });

  describe('makes exactly one comment', () => {
    it('when it was made and the answer was lost', async () => {
      stub.script = (request, response) => {
        if (request.method !== 'POST') return undefined;
        stub.make(request);
        response.destroy();
        return 'handled';
      };
      await told('building');
      await sent();
      assert.deepEqual(stub.told(), ['building']);
      assert.deepEqual(stub.asked(), ['POST 7', 'GET 7']);
    });

    it('when a 500 was an error', async () => {
      stub.script = () => (stub.requests.length === 1 ? { status: 500 } : undefined);
      await told('building');
      await until('it has been tried', () => stub.requests.length > 0);
      await told('review');
      await sent();
      assert.deepEqual(stub.told(), ['building', 'review']);
      assert.deepEqual(stub.asked(), ['POST 7', 'GET 7', 'POST 7', 'POST 7']);
    });

    it('when the process is killed after it was made', async () => {
      const died = Promise.withResolvers<void>();
      let child: ChildProcess | undefined;
      stub.script = async (request) => {
        if (request.method !== 'POST') return undefined;
        stub.make(request);
        child?.kill('SIGKILL');
        await died.promise;
        return 'handled';
      };
      await echo.dispose();
      const program = `
        const { openTrackerEcho } = await import(${JSON.stringify(import.meta.resolve('../../src/trackers/open.ts'))});
        const log = { debug() {}, info() {}, warn() {}, error() {} };
        const echo = openTrackerEcho({
          home: process.argv[1], env: process.env, log, apiFor: () => process.argv[2],
        });
        const job = { id: 'fix-login', tracker: ${JSON.stringify(ISSUE)}, run: 1 };
        await echo.transition({ ...job, from: 'queued', to: 'building' });
        setTimeout(() => {}, 60_000);
      `;
      const args = ['--input-type=module', '--eval', program, home, stub.api];
      child = spawn(process.execPath, args, { env: { AQ_TRACKER_TOKEN: TOKEN }, stdio: 'ignore' });
      const [, signal] = await once(child, 'exit');
      assert.equal(signal, 'SIGKILL');
      died.resolve();
      stub.script = () => undefined;
      assert.equal(waiting().length, 1);
      echo = open();
      await told('shipped');
      await sent();
      assert.deepEqual(stub.told(), ['building', 'shipped']);
      assert.deepEqual(stub.asked(), ['POST 7', 'GET 7', 'POST 7']);
    });

    it('when it is stopped in the middle, within a moment', async () => {
      stub.script = (request) => {
        stub.make(request);
        return 'handled';
      };
      await told('building');
      await until('it is under way', () => stub.requests.length > 0);
      const started = performance.now();
      await echo.dispose();
      assert.ok(performance.now() - started < 500);
      assert.equal(waiting().length, 1);
      stub.script = () => undefined;
      echo = open();
      await sent();
      assert.deepEqual(stub.told(), ['building']);
      assert.deepEqual(log, []);
    });
  });

  it('sends at the next start what was left, and what it was told after its end', async () => {
    await stub.down();
    await told('building');
    await until('it has been tried', () => log.length > 0);
    await echo.dispose();
    await told('review');
    await stub.up();
    await quiet();
    assert.deepEqual(stub.requests, []);
    echo = open();
    await sent();
    assert.deepEqual(stub.told(), ['building → review']);
  });

  it('goes on for a while when it is asked to, as long as there is something that can be sent', async () => {
    stub.script = async () => {
      await sleep(100);
      return undefined;
    };
    await tell({ id: 'a' }, 'building');
    await tell({ id: 'b' }, 'building');
    await echo.dispose(10 * SECOND);
    assert.deepEqual([stub.comments.length, waiting().length], [2, 0]);
    echo = open();
    stub.script = () => 'handled';
    await told('building');
    const disposed = echo.dispose(10 * SECOND);
    await quiet();
    clock.pass(10 * SECOND);
    await disposed;
    assert.equal(waiting().length, 1);
    await stub.down();
    echo = open();
    // Nobody answers: there is nothing to wait for, once that is known.
    clock.passes = 0;
    const started = performance.now();
    await echo.dispose(10 * SECOND);
    assert.ok(performance.now() - started < 1000);
  });

  describe('is answered', () => {
    it('with a 404, 410 or 422: said, and not repeated', async () => {
      for (const status of [404, 410, 422]) {
        stub.script = () => ({ status, body: { message: TOKEN } });
        await told('building');
        await sent();
        assert.match(log.at(-1) ?? '', new RegExp(`^${ISSUE} .*fix-login.*\\(${status}\\)`));
      }
      clock.pass(DAY);
      await quiet();
      assert.deepEqual(stub.asked(), Array(3).fill('POST 7'));
      assert.equal(log.length, 3);
    });

    it('with a 401: said once, kept, and tried again after a minute', async () => {
      clock.passes = 0;
      stub.script = () => ({ status: 401 });
      await told('building');
      for (let n = 1; n <= 3; n += 1) {
        await until(`try ${n}`, () => stub.requests.length === n);
        await resting();
        clock.pass(MINUTE - 1);
        await quiet();
        assert.equal(stub.requests.length, n);
        if (n < 3) clock.pass(1);
      }
      assert.equal(log.length, 1, log.join('\n'));
      assert.match(
        log[0] ?? '',
        /^Comments on github\.com wait: .*\(401\).* Give a valid token in AQ_TRACKER_TOKEN/,
      );
      await told('review');
      stub.script = () => undefined;
      clock.pass(1);
      await sent();
      assert.deepEqual(stub.told(), ['building → review']);
    });

    it('with a 401, and tried at once with a new token', async () => {
      stub.script = ({ headers }) =>
        headers.authorization === `Bearer ${TOKEN}` ? { status: 401 } : undefined;
      await told('building');
      await until('it is said', () => log.length === 1);
      // No better than the one before, which has to be said.
      echo.tokensChanged();
      await until('it is said again', () => log.length === 2);
      tokens['github.com'] = OTHER_TOKEN;
      echo.tokensChanged();
      await sent();
      assert.deepEqual(stub.told(), ['building']);
    });

    it('with a 403 for one issue, which holds up no other', async () => {
      stub.script = ({ path }) => (path.includes('/7/') ? { status: 403 } : undefined);
      await told('building');
      await until('it is said', () => log.length === 1);
      await tell({ tracker: ISSUE.replace('7', '9') }, 'building');
      await until('the other is told', () => waiting().length === 1);
      assert.deepEqual([stub.told(9), waiting()[0]?.issue], [['building'], ISSUE]);
    });

    it('with a limit: not asked again before its time, and no new token changes that', async () => {
      const reset = String(Math.ceil(clock.now() / SECOND) + 600);
      stub.script = () =>
        stub.requests.length === 1
          ? {
              status: 403,
              headers: {
                date: new Date(clock.now()).toUTCString(),
                'x-ratelimit-remaining': '0',
                'x-ratelimit-reset': reset,
              },
            }
          : undefined;
      await told('building');
      await until('it is said', () => log.length === 1);
      await told('review');
      await resting();
      clock.pass(9 * MINUTE + 50 * SECOND);
      echo.tokensChanged();
      await quiet();
      assert.equal(stub.requests.length, 1);
      clock.pass(11 * SECOND);
      await sent();
      assert.deepEqual(stub.told(), ['building → review']);
    });

    it('with a 5xx for one issue for ever, which does not hold up the others', async () => {
      stub.script = ({ path }) => (path.includes('/7/') ? { status: 500 } : undefined);
      await told('building');
      await until('it has been tried', () => log.length > 0);
      for (const n of [8, 9]) await tell({ tracker: ISSUE.replace('7', `${n}`) }, 'building');
      await until('the others are told', () => {
        clock.pass(MINUTE);
        return waiting().length === 1;
      });
      assert.deepEqual([stub.told(7), stub.told(8), stub.told(9)], [[], ['building'], ['building']]);
    });

    it('with a huge or foreign list of comments: nothing is made twice, and nothing is lost', async () => {
      clock.passes = 0;
      stub.script = (request, response) => {
        if (request.method === 'GET') return { raw: 'x'.repeat(9 * 1024 * 1024) };
        stub.make(request);
        response.destroy();
        return 'handled';
      };
      await told('building');
      await until('it has been tried', () => log.length > 0);
      await resting();
      clock.pass(MINUTE);
      await until('it has been looked for', () => stub.asked().includes('GET 7'));
      await quiet();
      assert.deepEqual([stub.told(), waiting().length], [['building'], 1]);
      stub.script = () => undefined;
      await sentInTime();
      assert.deepEqual(stub.told(), ['building']);
    });
  });

  describe('keeps a token', () => {
    it('to its host, and out of log, file and comments', async () => {
      tokens['ghe.example'] = OTHER_TOKEN;
      for (const status of [undefined, 302, 401, 404, 500]) {
        const answer =
          status === undefined
            ? undefined
            : { status, headers: { location: other.api }, body: { message: TOKEN } };
        stub.script = () => answer;
        other.script = () => answer && { ...answer, headers: { location: stub.api } };
        await told('building');
        await tell({ tracker: OTHER_ISSUE }, 'building');
        await quiet();
        clock.pass(MINUTE);
        await quiet();
      }
      assert.ok(stub.requests.length >= 5 && other.requests.length >= 5);
      for (const { headers } of stub.requests) assert.equal(headers.authorization, `Bearer ${TOKEN}`);
      for (const { headers } of other.requests) assert.equal(headers.authorization, `Bearer ${OTHER_TOKEN}`);
      const kept = readdirSync(path.dirname(file())).map((name) =>
        readFileSync(path.join(path.dirname(file()), name), 'utf8'),
      );
      const everything = JSON.stringify([
        log,
        kept,
        stub.comments,
        other.comments,
        stub.requests.map(({ raw }) => raw),
      ]);
      assert.ok(!everything.includes('token-sentinel'));
    });

    it('from a host that has none, which is said once and with what to do', async () => {
      for (const to of ['building', 'review'] as const) {
        await tell({ tracker: OTHER_ISSUE }, to);
        await quiet();
        clock.pass(MINUTE);
        await quiet();
      }
      assert.deepEqual(other.requests, []);
      assert.deepEqual(log, [
        'Comments on ghe.example wait: there is no token for it. Jobs go on. Give a valid token in AQ_TRACKER_TOKEN, as HOST=TOKEN.',
      ]);
      await told('building');
      await until('github.com is told', () => stub.told().length === 1);
      tokens['ghe.example'] = OTHER_TOKEN;
      echo.tokensChanged();
      await sent();
      assert.deepEqual(other.told(8), ['building → review']);
    });

    it('that the environment gives before one that is kept elsewhere', async () => {
      await echo.dispose();
      echo = open({ env: { AQ_TRACKER_TOKEN: OTHER_TOKEN } });
      await told('building');
      await sent();
      assert.equal(stub.requests[0]?.headers.authorization, `Bearer ${OTHER_TOKEN}`);
    });

    it('unsaid, when it cannot be read', async () => {
      await echo.dispose();
      echo = open({ tokenFor: () => Promise.reject(new Error(`no ${TOKEN}`)) });
      await told('building');
      await until('it is said', () => log.length === 2);
      assert.ok(!log.join().includes(TOKEN));
      assert.equal(waiting().length, 1);
    });
  });

  it('gives up after seven days without a token, and not before', async () => {
    clock.passes = 0;
    await tell({ tracker: OTHER_ISSUE }, 'building');
    await resting();
    clock.pass(7 * DAY);
    await resting();
    assert.equal(waiting().length, 1);
    clock.pass(MINUTE);
    await sent();
    assert.match(log.at(-1) ?? '', /1 comments on ghe\.example have waited for a token for 7 days/);
  });

  it('does not give up what an offline month kept', async () => {
    await stub.down();
    await told('building');
    await until('it has been tried', () => log.length > 0);
    await resting();
    clock.pass(30 * DAY);
    await resting();
    // It has been tried again, and is no news.
    assert.deepEqual([clock.sleeps.length > 1, log.length], [true, 1]);
    await stub.up();
    await sentInTime();
    assert.deepEqual(stub.told(), ['building']);
  });

  it('sets aside a file that it cannot read, says so, and goes on', async () => {
    await echo.dispose();
    mkdirSync(path.dirname(file()), { recursive: true });
    writeFileSync(file(), 'half of {');
    echo = open();
    await told('building');
    await sent();
    assert.deepEqual(stub.told(), ['building']);
    const [aside = ''] = /\/\S+\.unreadable/.exec(log.join()) ?? [];
    assert.equal(readFileSync(aside, 'utf8'), 'half of {');
  });

  it('goes on when the disk fails, and says so', async () => {
    await echo.dispose();
    home = path.join(home, 'file');
    writeFileSync(home, 'no folder');
    echo = open();
    await told('building');
    await quiet();
    assert.deepEqual(stub.requests, []);
    assert.ok(
      log.some((line) => line.startsWith(`What ${ISSUE} is to be told of fix-login could not be kept`)),
    );
  });
});
