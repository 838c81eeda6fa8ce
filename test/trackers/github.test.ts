import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { DAY, HOUR, SECOND } from '../../src/platform/clock.ts';
import { apiOf, GitHub, type GitHubOptions } from '../../src/trackers/github.ts';
import type { NewComment, Outcome } from '../../src/trackers/tracker.ts';
import { HandClock } from './support/hand-clock.ts';
import { type Answer, type Script, StubTracker } from './support/stub-tracker.ts';

const TOKEN = 'token-sentinel-4711';
const MARKER = '<!-- agent-queue: fix-login 1 c0ffee -->';
const ISSUE = 'https://github.com/acme/app/issues/7';

describe('GitHub as a tracker', () => {
  let stub: StubTracker;
  let github: GitHub;
  const clock = new HandClock();
  const closing: (() => unknown)[] = [];

  function newGitHub(options: Partial<GitHubOptions> = {}): GitHub {
    const made = new GitHub({ clock, apiFor: () => stub.api, ...options });
    closing.push(() => made.close());
    return made;
  }

  beforeEach(async () => {
    stub = await StubTracker.start();
    github = newGitHub();
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    await stub.down();
  });

  function comment(more: Partial<NewComment> = {}, of = github): Promise<Outcome> {
    const issue = of.matches(ISSUE);
    assert.ok(issue !== undefined);
    const { signal } = new AbortController();
    return of.comment({ issue, text: 'Hello', marker: MARKER, token: TOKEN, signal, ...more });
  }

  describe('knows an issue by its address', () => {
    for (const [address, url] of [
      [ISSUE, ISSUE],
      ['https://GitHub.com/acme/app/issues/7/', ISSUE],
      ['https://github.com/acme/app/issues/7?x=y#issuecomment-1', ISSUE],
      ['https://github.com/acme/app/pull/7', ISSUE],
      ['https://ghe.example:8443/a-b/c.d_e/issues/12', 'https://ghe.example:8443/a-b/c.d_e/issues/12'],
    ] as const) {
      it(address, () => {
        assert.deepEqual(github.matches(address), { host: new URL(url).host, url });
      });
    }
    for (const address of [
      'http://github.com/acme/app/issues/7',
      'https://user:secret@github.com/acme/app/issues/7',
      'https://github.com/acme/app/issues/0',
      'https://github.com/acme/app/issues/7/events',
      'https://github.com/acme/app/issues/x',
      'https://github.com/acme/app/discussions/7',
      'https://github.com/acme/..%2Fother/issues/7',
      'https://github.com/issues/7',
      'https://gitlab.example/acme/app/-/issues/7',
      'https://jira.example/browse/APP-7',
      'no address',
    ]) {
      it(`but not ${address}`, () => assert.equal(github.matches(address), undefined));
    }
  });

  it('is asked where GitHub has it', () => {
    assert.equal(apiOf('github.com'), 'https://api.github.com');
    assert.equal(apiOf('ghe.example:8443'), 'https://ghe.example:8443/api/v3');
    assert.equal(apiOf('acme.ghe.com'), 'https://api.acme.ghe.com');
  });

  it('is sent one comment, and nothing else', async () => {
    assert.deepEqual(await comment(), { kind: 'accepted' });
    assert.equal(stub.requests.length, 1);
    const [{ method, path, headers, raw }] = stub.requests as [(typeof stub.requests)[0]];
    assert.equal(`${method} ${path}`, 'POST /api/v3/repos/acme/app/issues/7/comments');
    assert.deepEqual(JSON.parse(raw), { body: `Hello\n\n${MARKER}\n` });
    assert.equal(headers.accept, 'application/vnd.github+json');
    assert.equal(headers['x-github-api-version'], '2022-11-28');
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(headers.authorization, `Bearer ${TOKEN}`);
    assert.match(headers['user-agent'] ?? '', /agent-queue/);
  });

  describe('is looked through for an earlier try', () => {
    const triedAt = clock.now() - HOUR;
    const path = '/api/v3/repos/acme/app/issues/7/comments';
    const others = (n: number) => Array.from({ length: n }, () => ({ path, body: 'Something else' }));

    it('which is not repeated when it is there, on whatever page', async () => {
      stub.comments.push(...others(150), { path, body: `Hello\n\n${MARKER}\n` }, ...others(3));
      assert.deepEqual(await comment({ triedAt }), { kind: 'accepted' });
      assert.deepEqual(stub.asked(), ['GET 7', 'GET 7']);
      const { query } = stub.requests[0] as (typeof stub.requests)[0];
      assert.equal(query.get('per_page'), '100');
      const since = Date.parse(query.get('since') ?? '');
      assert.ok(since <= triedAt && since >= triedAt - DAY - SECOND, query.get('since') ?? 'none');
    });

    it('which is made when it is not', async () => {
      stub.comments.push(...others(100), { path: path.replace('7', '8'), body: MARKER });
      assert.deepEqual(await comment({ triedAt }), { kind: 'accepted' });
      assert.deepEqual(stub.asked(), ['GET 7', 'GET 7', 'POST 7']);
    });

    it('and not made as long as nobody knows', async () => {
      const answers: readonly Answer[] = [
        { status: 502 },
        { body: { not: 'a list' } },
        { raw: '[{"body": "half' },
        { raw: '<html>', headers: { 'content-type': 'text/html' } },
        // For ever the same full page.
        { body: others(100) },
      ];
      for (const answer of answers) {
        stub.script = ({ method }) => (method === 'GET' ? answer : undefined);
        const outcome = await comment({ triedAt });
        assert.deepEqual([outcome.kind, 'isUnknown' in outcome && outcome.isUnknown], ['unreachable', true]);
      }
      assert.equal(stub.comments.length, 0);
      assert.ok(stub.requests.length < 40);
    });

    it('and its answers are heard', async () => {
      for (const [status, kind] of [
        [401, 'unauthorized'],
        [403, 'unauthorized'],
        [404, 'refused'],
      ] as const) {
        stub.script = () => ({ status });
        assert.equal((await comment({ triedAt })).kind, kind);
      }
      assert.ok(stub.asked().every((each) => each === 'GET 7'));
    });
  });

  describe('means by an answer', () => {
    const date = new Date(clock.now() - 5 * HOUR).toUTCString();
    const reset = String(Date.parse(date) / SECOND + 90);
    const limited = { message: 'You have exceeded a secondary rate limit. Please wait a few minutes.' };
    const page = { 'content-type': 'text/html' };
    const rows: readonly (readonly [
      string,
      Answer,
      Partial<Outcome> & { readonly retryAfterMs?: number },
    ])[] = [
      ['401', { status: 401 }, { kind: 'unauthorized', scope: 'host' }],
      ['403', { status: 403, body: { message: 'Locked' } }, { kind: 'unauthorized', scope: 'issue' }],
      [
        '403, when there are calls left',
        { status: 403, headers: { 'x-ratelimit-remaining': '4', 'x-ratelimit-reset': reset } },
        { kind: 'unauthorized' },
      ],
      [
        '403 with Retry-After',
        { status: 403, headers: { 'retry-after': '7' } },
        { kind: 'unreachable', retryAfterMs: 7000, isUnknown: false },
      ],
      [
        '403 with Retry-After as a date',
        { status: 403, headers: { date, 'retry-after': new Date(Date.parse(date) + 9000).toUTCString() } },
        { kind: 'unreachable', retryAfterMs: 9000 },
      ],
      [
        '403 with a reset, by its own clock',
        { status: 403, headers: { date, 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset } },
        { kind: 'unreachable', retryAfterMs: 90_000, isUnknown: false },
      ],
      [
        '429 with a reset',
        { status: 429, headers: { date, 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset } },
        { kind: 'unreachable', retryAfterMs: 90_000 },
      ],
      [
        'a limit that is told in words',
        { status: 403, body: limited },
        { kind: 'unreachable', retryAfterMs: 60_000, isUnknown: false },
      ],
      ['429 alone', { status: 429 }, { kind: 'unreachable', retryAfterMs: 60_000, isUnknown: false }],
      ['404', { status: 404 }, { kind: 'refused' }],
      ['410', { status: 410 }, { kind: 'refused' }],
      ['422', { status: 422 }, { kind: 'refused' }],
      ['404 of a proxy’s page', { status: 404, headers: page, raw: '<html>' }, { kind: 'unreachable' }],
      ['407', { status: 407 }, { kind: 'unreachable' }],
      ['500', { status: 500 }, { kind: 'unreachable', isUnknown: true }],
      [
        '503 with Retry-After',
        { status: 503, headers: { 'retry-after': '3' } },
        { kind: 'unreachable', retryAfterMs: 3000, isUnknown: true },
      ],
      [
        '200, which is not that of a new comment',
        { status: 200, headers: page, raw: '<html>' },
        { kind: 'unreachable', isUnknown: true },
      ],
      ['201, whatever comes after it', { status: 201, raw: 'half of {' }, { kind: 'accepted' }],
    ];
    for (const [name, answer, expected] of rows) {
      it(name, async () => {
        stub.script = () => answer;
        const outcome = await comment();
        for (const [key, value] of Object.entries(expected))
          assert.equal((outcome as unknown as Record<string, unknown>)[key], value, JSON.stringify(outcome));
        assert.equal('retryAfterMs' in outcome, 'retryAfterMs' in expected);
        assert.equal(stub.requests.length, 1);
      });
    }
  });

  it('is not followed where it redirects; its own redirect says that the issue has moved', async () => {
    const other = await StubTracker.start();
    closing.push(() => other.down());
    for (const status of [301, 302, 307, 308]) {
      stub.script = () => ({
        status,
        headers: { location: `${other.api}/repos/acme/app/issues/7/comments` },
      });
      assert.equal((await comment()).kind, 'unreachable');
      stub.script = () => ({ status, headers: { location: '/api/v3/repositories/1/issues/7/comments' } });
      assert.equal((await comment()).kind, 'refused');
    }
    assert.deepEqual(other.requests, []);
    assert.equal(stub.requests.length, 8);
  });

  describe('is unreachable, and the comment', () => {
    const limits = { answerMs: 300, maxBytes: 10_000 };
    const rows: readonly (readonly [string, Script, boolean | 'made'])[] = [
      ['may be made, when it says nothing', () => 'handled', true],
      [
        'may be made, when it breaks off',
        (_, response) => {
          response.destroy();
          return 'handled';
        },
        true,
      ],
      [
        'is made, when what breaks off is the rest of a 201',
        (_, response) => {
          response.writeHead(201, { 'content-length': '100' });
          response.write('{', () => response.destroy());
          return 'handled';
        },
        'made',
      ],
      ['is made, when the 201 is huge', () => ({ status: 201, raw: 'x'.repeat(50_000) }), 'made'],
      ['may be made, when a 500 is huge', () => ({ status: 500, raw: 'x'.repeat(50_000) }), true],
      [
        'may be made, when it trickles',
        (_, response) => {
          response.writeHead(500);
          const drip = setInterval(() => response.write(' '), 20);
          response.on('close', () => clearInterval(drip));
          return 'handled';
        },
        true,
      ],
    ];
    for (const [name, script, fate] of rows) {
      it(name, async () => {
        stub.script = script;
        const started = performance.now();
        const outcome = await comment({}, newGitHub({ limits }));
        assert.ok(performance.now() - started < 2000);
        if (fate === 'made') return assert.equal(outcome.kind, 'accepted');
        assert.ok(outcome.kind === 'unreachable', JSON.stringify(outcome));
        assert.equal(outcome.isUnknown, fate);
      });
    }

    it('is not made, when nobody listens', async () => {
      await stub.down();
      const outcome = await comment();
      assert.ok(outcome.kind === 'unreachable' && !outcome.isUnknown);
      assert.match(outcome.why, /connection refused/);
    });

    it('is not made, when the host has no address', async () => {
      // A label that is too long to be asked anybody for.
      const api = `https://${'x'.repeat(64)}.invalid/api/v3`;
      const outcome = await comment({}, newGitHub({ apiFor: () => api }));
      assert.ok(outcome.kind === 'unreachable' && !outcome.isUnknown, JSON.stringify(outcome));
    });

    it('is looked for again, when the list is huge', async () => {
      stub.script = () => ({ raw: `["${'x'.repeat(50_000)}"]` });
      const outcome = await comment({ triedAt: 1 }, newGitHub({ limits }));
      assert.ok(outcome.kind === 'unreachable');
      assert.match(outcome.why, /too large/);
      assert.deepEqual(stub.asked(), ['GET 7']);
    });

    it('is given up, when it is told to', async () => {
      const stop = new AbortController();
      stub.script = () => {
        stop.abort();
        return 'handled';
      };
      const outcome = await comment({ signal: stop.signal });
      assert.deepEqual(outcome, { kind: 'unreachable', why: 'the call was given up', isUnknown: true });
    });
  });

  it('says nothing of the token, whatever is answered and whatever the token is', async () => {
    const told: unknown[] = [];
    for (const status of [200, 302, 401, 403, 404, 422, 429, 500]) {
      stub.script = ({ headers }) => ({ status, body: { message: headers.authorization } });
      told.push(await comment());
    }
    const asked = stub.requests.length;
    for (const token of [`${TOKEN}\n`, `${TOKEN} x`, `ü${TOKEN}`, '']) {
      const outcome = await comment({ token });
      assert.equal(outcome.kind, 'unauthorized');
      told.push(outcome);
    }
    assert.equal(stub.requests.length, asked);
    assert.ok(!JSON.stringify(told).includes(TOKEN));
  });

  it('leaves the dispatchers of the process as they were', () => {
    // In a process of its own: in this one another test may have loaded undici already.
    const program = `
      const slots = [1, 2].map((n) => Symbol.for('undici.globalDispatcher.' + n));
      globalThis[slots[0]] = { dispatch() { throw new Error('used'); } };
      const before = slots.map((slot) => globalThis[slot]);
      const { GitHub } = await import(${JSON.stringify(import.meta.resolve('../../src/trackers/github.ts'))});
      const github = new GitHub({ clock: Date, apiFor: () => 'http://127.0.0.1:9/api/v3' });
      const issue = github.matches('${ISSUE}');
      const { signal } = new AbortController();
      const { why } = await github.comment({ issue, text: '', marker: '', token: 'x', signal });
      await github.close();
      console.log(why, slots.every((slot, index) => globalThis[slot] === before[index]));
    `;
    const args = ['--input-type=module', '--eval', program];
    const said = execFileSync(process.execPath, args, { encoding: 'utf8' });
    assert.equal(said.trim(), 'nobody listens there (connection refused) true');
  });
});
