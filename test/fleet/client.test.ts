import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClientOptions, FleetClient } from '../../src/fleet/client.ts';
import type { Outcome } from '../../src/fleet/outcome.ts';
import { steeredClock } from '../runner/support/clock.ts';
import { type Received, type Script, StubCoordinator } from './support/stub-coordinator.ts';

const TOKEN = 'token-sentinel-4711';
const PROMPT = 'prompt-sentinel-0815';
const CALL = { jobId: 'job-1', epoch: 1, key: 'job-1/1/7' };
const FACTS = { capabilities: ['os:linux'], health: 'ok', load: 0.5 } as const;

describe('the fleet client', () => {
  let stub: StubCoordinator;
  let log: string[];
  let client: FleetClient;
  const clock = steeredClock();
  const closing: (() => unknown)[] = [];

  function newClient(options: Partial<ClientOptions> = {}): FleetClient {
    const write = (message: string | Error) => log.push(String(message));
    const made = new FleetClient({
      api: stub.api,
      token: TOKEN,
      productId: 'acme',
      factoryId: 'laptop-1',
      clock,
      log: { debug: write, info: write, warn: write, error: write },
      ...options,
    });
    closing.push(() => made.close());
    return made;
  }

  beforeEach(async () => {
    log = [];
    stub = await StubCoordinator.start();
    client = newClient();
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    await stub.down();
  });

  const claim = (of = client, requestId = 'request-1') => of.claim({ capabilities: ['os:linux'], requestId });
  const last = () => stub.requests.at(-1) as Received;

  /** Every call, by what it is sent as. */
  const calls = (of = client): Readonly<Record<string, () => Promise<Outcome<unknown>>>> => ({
    'POST /api/fleet/factories/heartbeat': () => of.heartbeat(FACTS),
    'POST /api/fleet/claim': () => claim(of),
    'GET /api/fleet/jobs/job-1': () => of.job('job-1'),
    'GET /api/fleet/jobs/job-1/runs': () => of.runs('job-1'),
    'PATCH /api/fleet/jobs/job-1': () => of.report({ ...CALL, stage: 'building' }),
    'POST /api/fleet/jobs/job-1/lease/renew': () => of.renew(CALL),
    'POST /api/fleet/jobs/job-1/lease/release': () => of.release(CALL),
  });

  describe('sends exactly the contract', () => {
    const checkpoint = { wipBranch: 'refs/agent-queue/job-1/wip', wipCommit: 'c0ffee', prompt: PROMPT };
    for (const [name, call, expected, key] of [
      ['heartbeat', () => client.heartbeat(FACTS), { factoryId: 'laptop-1', ...FACTS }, undefined],
      ['claim', () => claim(), { factoryId: 'laptop-1', capabilities: ['os:linux'] }, 'request-1'],
      [
        'claim that may wait',
        () => client.claim({ capabilities: [], requestId: 'request-1', waitSec: 5 }),
        { factoryId: 'laptop-1', capabilities: [], waitSec: 5 },
        'request-1',
      ],
      ['job', () => client.job('job-1'), undefined, undefined],
      [
        'report',
        () => client.report({ ...CALL, stage: 'review', checkpoint }),
        {
          stage: 'review',
          checkpoint: { wipBranch: checkpoint.wipBranch, wipCommit: checkpoint.wipCommit },
          leaseEpoch: 1,
        },
        CALL.key,
      ],
      [
        'report without checkpoint',
        () => client.report({ ...CALL, stage: 'building' }),
        { stage: 'building', leaseEpoch: 1 },
        CALL.key,
      ],
      ['renew', () => client.renew(CALL), { leaseEpoch: 1 }, CALL.key],
      ['release', () => client.release(CALL), { leaseEpoch: 1 }, CALL.key],
    ] as const) {
      it(name, async () => {
        stub.offer('job-1', PROMPT);
        stub.take('job-1');
        const outcome = await call();
        assert.equal(outcome.kind, 'accepted');
        const { headers, body } = last();
        assert.deepEqual(body, expected);
        assert.equal(headers.authorization, `Bearer ${TOKEN}`);
        assert.equal(headers['x-product-id'], 'acme');
        assert.equal(headers.accept, 'application/json');
        assert.equal(headers['content-type'], expected === undefined ? undefined : 'application/json');
        assert.equal(headers['idempotency-key'], key);
        assert.deepEqual(log, []);
      });
    }

    it('to the places that it names', async () => {
      for (const [place, call] of Object.entries(calls())) {
        const before = stub.requests.length;
        await call();
        // A heartbeat may follow, which judges a 404.
        const { method, path } = stub.requests[before] as Received;
        assert.equal(`${method} ${path}`, place);
      }
    });

    it('without token and product where there are none, and an id never leaves its place in the path', async () => {
      await newClient({ token: undefined, productId: undefined }).job('../x y?z');
      const request = stub.requests[0] as Received;
      assert.equal(request.path, '/api/fleet/jobs/..%2Fx%20y%3Fz');
      assert.equal(request.headers.authorization, undefined);
      assert.equal(request.headers['x-product-id'], undefined);
    });
  });

  describe('an accepted call', () => {
    it('brings the job, the same for the same request id, and then nothing', async () => {
      stub.offer('job-1', PROMPT);
      const given = { jobId: 'job-1', bodyMd: PROMPT, epoch: 1, leaseMs: 900_000 };
      assert.deepEqual(valueOf(await claim()), given);
      assert.deepEqual(valueOf(await claim()), given);
      assert.equal(valueOf(await claim(client, 'request-2')), 'empty');
    });

    it('counts from when it was sent, by both clocks', async () => {
      let arrived = { wall: 0, monotonic: 0 };
      stub.script = async () => {
        arrived = { wall: clock.now(), monotonic: clock.monotonic() };
        await sleep(50);
        return { body: { leaseTtlSec: 60 } };
      };
      const before = { wall: clock.now(), monotonic: clock.monotonic() };
      const outcome = await client.renew(CALL);
      assert.ok(outcome.kind === 'accepted');
      assert.deepEqual(outcome.value, { leaseMs: 60_000 });
      for (const hand of ['wall', 'monotonic'] as const) {
        assert.ok(outcome.sentAt[hand] >= before[hand] && outcome.sentAt[hand] <= arrived[hand], hand);
      }
    });

    it('measures a lease by the answer’s own clock, however wrong that is', async () => {
      stub.script = () => ({
        headers: { date: 'Thu, 01 Jan 2015 00:00:00 GMT' },
        body: { leaseExpiresAt: '2015-01-01T00:02:00Z' },
      });
      assert.deepEqual(valueOf(await client.renew(CALL)), { leaseMs: 120_000 });
    });

    it('takes the lease’s length from a heartbeat where the claim does not tell it', async () => {
      stub.script = ({ path }) =>
        path.endsWith('/heartbeat')
          ? { body: { leaseTtlSec: 30 } }
          : { body: { job: { id: 'job-1', bodyMd: PROMPT, leaseEpoch: 3 } } };
      assert.equal((await claim()).kind, 'unreachable');
      await client.heartbeat(FACTS);
      assert.deepEqual(valueOf(await claim()), {
        jobId: 'job-1',
        bodyMd: PROMPT,
        epoch: 3,
        leaseMs: 30_000,
      });
    });

    it('may be any 2xx without a body, where the contract asks for none', async () => {
      stub.script = () => ({ status: 204 });
      assert.deepEqual(valueOf(await client.heartbeat(FACTS)), {});
      assert.equal(valueOf(await claim()), 'empty');
      assert.deepEqual(valueOf(await client.release(CALL)), {});
    });
  });

  describe('is fenced', () => {
    it('when the epoch is stale, for every call that carries one', async () => {
      stub.offer('job-1', PROMPT);
      await claim();
      stub.take('job-1');
      const fenced = { kind: 'fenced', currentEpoch: 2 };
      assert.deepEqual(await client.report({ ...CALL, stage: 'building' }), fenced);
      assert.deepEqual(await client.renew(CALL), fenced);
      assert.deepEqual(await client.release(CALL), fenced);
    });

    it('when the job is gone, by a coordinator that takes heartbeats', async () => {
      await client.heartbeat(FACTS);
      assert.deepEqual(await client.renew(CALL), { kind: 'fenced' });
      // The heartbeat that judges it tells nothing else than the one before.
      assert.deepEqual(last().body, stub.requests[0]?.body);
    });

    it('but a question after a job that is gone is only refused', async () => {
      assert.deepEqual(await client.job('job-1'), { kind: 'refused', status: 404, code: 'job_not_found' });
      stub.script = () => ({ status: 404, body: {} });
      assert.equal((await client.job('job-1')).kind, 'unreachable');
      assert.equal((await client.heartbeat(FACTS)).kind, 'unreachable');
    });

    it('but not by the 404 of something that takes no heartbeats, or does not speak JSON', async () => {
      stub.script = () => ({ status: 404, body: { message: 'no such route' } });
      assert.equal((await client.renew(CALL)).kind, 'unreachable');
      stub.script = ({ path }) =>
        path.endsWith('/heartbeat')
          ? undefined
          : { status: 404, headers: { 'content-type': 'text/html' }, raw: '<html>Not found</html>' };
      assert.equal((await client.renew(CALL)).kind, 'unreachable');
      stub.script = ({ path }) =>
        path.endsWith('/heartbeat')
          ? { headers: { 'content-type': 'text/html' }, raw: '<html>Please log in</html>' }
          : undefined;
      assert.equal((await client.renew(CALL)).kind, 'unreachable');
    });
  });

  describe('takes for unreachable', () => {
    const page: Script = () => ({
      headers: { 'content-type': 'text/html' },
      raw: '<html>Welcome to our hotel</html>',
    });
    const broken: Readonly<Record<string, Script>> = {
      'a page of a captive portal': page,
      'half a JSON': () => ({ raw: '{"job": {"id": "job-1"' }),
      'an answer of another shape': () => ({ body: 7 }),
      'a text': () => ({ body: 'ok' }),
      'a connection that breaks before the answer': (_, response) => {
        response.destroy();
        return 'handled';
      },
      'an answer that is cut off': (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
        response.write('{}', () => response.destroy());
        return 'handled';
      },
      'an answer without end that is cut off': (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.write('{}', () => response.destroy());
        return 'handled';
      },
      'something that is not HTTP': (_, response) => {
        response.socket?.end('220 mail.example ESMTP\r\n');
        return 'handled';
      },
    };
    for (const [what, script] of Object.entries(broken)) {
      it(what, async () => {
        stub.script = script;
        for (const [place, call] of Object.entries(calls())) {
          const outcome = await call();
          assert.equal(outcome.kind, 'unreachable', place);
          assert.ok(outcome.kind === 'unreachable' && outcome.why.length > 0);
        }
        assert.equal(log.length, Object.keys(calls()).length);
      });
    }

    it('a redirect, and does not go where it leads', async () => {
      const other = await StubCoordinator.start();
      closing.push(() => other.down());
      for (const status of [301, 302, 307, 308]) {
        stub.script = () => ({ status, headers: { location: `${other.api}/fleet/claim` }, body: {} });
        assert.equal((await claim()).kind, 'unreachable');
      }
      assert.equal(stub.requests.length, 4);
      assert.deepEqual(other.requests, []);
    });

    it('nobody at the address, and is back when the coordinator is', async () => {
      await stub.down();
      const outcome = await client.renew(CALL);
      assert.ok(outcome.kind === 'unreachable');
      assert.match(outcome.why, /connection refused/);
      await stub.up();
      assert.equal((await client.heartbeat(FACTS)).kind, 'accepted');
    });

    it('an overloaded one, and hears how long to wait', async () => {
      stub.script = () => ({ status: 503, headers: { 'retry-after': '7' }, body: {} });
      const outcome = await client.renew(CALL);
      assert.ok(outcome.kind === 'unreachable');
      assert.equal(outcome.retryAfterMs, 7000);
      stub.script = () => ({
        status: 429,
        headers: { date: 'Thu, 01 Jan 2015 00:00:00 GMT', 'retry-after': 'Thu, 01 Jan 2015 00:00:09 GMT' },
      });
      const dated = await client.renew(CALL);
      assert.equal(dated.kind === 'unreachable' && dated.retryAfterMs, 9000);
    });

    it('one whose certificate nobody trusts, before it has seen the token', async () => {
      const pem = readFileSync(path.join(import.meta.dirname, 'fixtures/self-signed.pem'));
      let requests = 0;
      const server = https.createServer({ key: pem, cert: pem }, (_, response) => {
        requests += 1;
        response.end('{}');
      });
      await listening(server);
      const outcome = await newClient({ api: `https://localhost:${portOf(server)}/api` }).renew(CALL);
      assert.ok(outcome.kind === 'unreachable');
      assert.match(outcome.why, /certificate is not trusted/);
      assert.equal(requests, 0);
    });

    it('a call that it cannot even make, without a word of the token', async () => {
      const outcome = await newClient({ token: `${TOKEN}\n` }).renew(CALL);
      assert.equal(outcome.kind, 'unreachable');
      assert.equal(stub.requests.length, 0);
      assert.ok(!JSON.stringify([outcome, log]).includes(TOKEN));
    });
  });

  describe('waits only so long', () => {
    const answersSlowly: Readonly<Record<string, Script>> = {
      'for the first byte': () => 'handled',
      'for the end of an answer that trickles': (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const drip = setInterval(() => response.write(' '), 20);
        response.on('close', () => clearInterval(drip));
        return 'handled';
      },
    };
    for (const [what, script] of Object.entries(answersSlowly)) {
      it(what, async () => {
        stub.script = script;
        const started = performance.now();
        const outcome = await newClient({ limits: { answerMs: 300 } }).renew(CALL);
        const took = performance.now() - started;
        assert.ok(outcome.kind === 'unreachable');
        assert.match(outcome.why, /in time/);
        assert.ok(took >= 290 && took < 5000, `${took} ms`);
      });
    }

    it('longer for a long poll, which can be given up', async () => {
      stub.script = async () => {
        await sleep(600);
        return { status: 204 };
      };
      const patient = newClient({ limits: { answerMs: 300 } });
      const claim = { capabilities: [], requestId: 'request-1' };
      assert.equal((await patient.claim(claim)).kind, 'unreachable');
      assert.equal(valueOf(await patient.claim({ ...claim, waitSec: 2 })), 'empty');
      const stop = new AbortController();
      setTimeout(() => stop.abort(), 50);
      const started = performance.now();
      const outcome = await patient.claim({ ...claim, waitSec: 2, signal: stop.signal });
      assert.deepEqual(outcome, { kind: 'unreachable', why: 'the call was given up' });
      assert.ok(performance.now() - started < 500);
    });

    it('for a connection', async () => {
      // Takes the connection, but never says a word of TLS.
      const mute = net.createServer();
      await listening(mute);
      const started = performance.now();
      const limits = { connectMs: 300 };
      const outcome = await newClient({ api: `https://127.0.0.1:${portOf(mute)}`, limits }).renew(CALL);
      assert.ok(outcome.kind === 'unreachable');
      assert.match(outcome.why, /in time/);
      assert.ok(performance.now() - started < 5000);
    });
  });

  describe('reads only so much', () => {
    it('takes 7 MiB', async () => {
      stub.script = () => ({ body: { padding: 'x'.repeat(7 * 1024 * 1024) } });
      assert.equal((await client.heartbeat(FACTS)).kind, 'accepted');
    });

    it('hangs up on an answer without end', async () => {
      let written = 0;
      const closed = Promise.withResolvers<'closed'>();
      stub.script = (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.on('close', () => closed.resolve('closed'));
        const chunk = ' '.repeat(256 * 1024);
        const more = () => {
          written += chunk.length;
          // Asked for more only when the other side has taken it.
          response.write(chunk, (error) => {
            if (error == null) more();
          });
        };
        more();
        return 'handled';
      };
      const outcome = await client.heartbeat(FACTS);
      assert.ok(outcome.kind === 'unreachable');
      assert.match(outcome.why, /larger than 8388608 bytes/);
      assert.equal(await Promise.race([closed.promise, sleep(2000, 'open')]), 'closed');
      assert.ok(written < 24 * 1024 * 1024, `${written} bytes were taken`);
    });
  });

  describe('is discreet', () => {
    it('logs a call that failed once, with what is needed to find it at the other end', async () => {
      stub.script = () => ({
        status: 422,
        headers: { 'x-request-id': 'req-77' },
        body: { code: 'invalid_request' },
      });
      const outcome = await client.renew(CALL);
      assert.deepEqual(outcome, { kind: 'refused', status: 422, code: 'invalid_request' });
      assert.equal(log.length, 1);
      for (const part of ['POST', '/fleet/jobs/job-1/lease/renew', '422', 'req-77'])
        assert.ok(log[0]?.includes(part), part);
    });

    it('with neither token nor body in log or outcome, whatever is answered', async () => {
      const told: unknown[] = [];
      for (const status of [200, 204, 302, 400, 401, 403, 404, 409, 422, 429, 500]) {
        // Thrown back as some servers do.
        stub.script = ({ raw, headers }) => ({
          status,
          headers: { 'x-request-id': `${headers.authorization} ${PROMPT}` },
          ...(status !== 204 && { body: { message: raw, code: `${headers.authorization}`, job: PROMPT } }),
        });
        for (const call of Object.values(calls())) told.push(await call());
        const checkpoint = { wipBranch: PROMPT, wipCommit: PROMPT };
        told.push(await client.report({ ...CALL, stage: 'review', checkpoint }));
      }
      const everything = JSON.stringify([told, log]);
      for (const secret of [TOKEN, PROMPT]) assert.ok(!everything.includes(secret), secret);
      assert.ok(log.length > 50);
    });

    it('leaves the dispatchers of the process as they were', () => {
      // In a process of its own: in this one another test may have loaded undici already.
      const program = `
        const slots = [1, 2].map((n) => Symbol.for('undici.globalDispatcher.' + n));
        const hosts = { dispatch() { throw new Error('used'); } };
        if (process.argv[1] === 'filled') globalThis[slots[0]] = hosts;
        const before = slots.map((slot) => globalThis[slot]);
        const { FleetClient } = await import(${JSON.stringify(import.meta.resolve('../../src/fleet/client.ts'))});
        const log = { debug() {}, info() {}, warn() {}, error() {} };
        const clock = { now: () => 0, monotonic: () => 0 };
        const client = new FleetClient({ api: 'http://127.0.0.1:9/api', factoryId: 'x', clock, log });
        const { kind } = await client.heartbeat({ capabilities: [], health: 'ok', load: 0 });
        await client.close();
        console.log(kind, slots.every((slot, index) => globalThis[slot] === before[index]));
      `;
      for (const state of ['empty', 'filled']) {
        const args = ['--input-type=module', '--eval', program, state];
        const said = execFileSync(process.execPath, args, { encoding: 'utf8' });
        assert.equal(said.trim(), 'unreachable true', state);
      }
    });
  });

  it('ends what is under way when it is closed, and can be used again', async () => {
    const arrived = new Promise<void>((resolve) => {
      stub.script = () => {
        resolve();
        return 'handled';
      };
    });
    const underWay = client.renew(CALL);
    await arrived;
    await client.close();
    assert.equal((await underWay).kind, 'unreachable');
    stub.script = () => undefined;
    assert.equal((await client.heartbeat(FACTS)).kind, 'accepted');
  });

  async function listening(server: net.Server | http.Server): Promise<void> {
    const sockets = new Set<net.Socket>();
    server.on('connection', (socket: net.Socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
    });
    closing.push(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
});

function portOf(server: net.Server): number {
  return (server.address() as AddressInfo).port;
}

function valueOf<T>(outcome: Outcome<T>): T {
  assert.ok(outcome.kind === 'accepted', JSON.stringify(outcome));
  return outcome.value;
}
