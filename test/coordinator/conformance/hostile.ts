/** Requests that nobody should make. Holds for the server on every store (fleet-protocol.md). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { type ServerWorld } from '../support/http.ts';

export function hostileConformance(world: () => ServerWorld): void {
  it('takes a job of a megabyte, and nothing larger', async () => {
    const { house } = world();
    const bodyMd = '"\n'.repeat(512 * 1024);
    assert.equal((await house.call('POST', '/fleet/jobs', { body: { id: 'a', bodyMd } })).status, 201);
    assert.equal((await house.claim('f1')).body.job.bodyMd.length, bodyMd.length);
    const larger = await house.call('POST', '/fleet/jobs', { body: { bodyMd: `${bodyMd}x` } });
    assert.deepEqual([larger.status, larger.body.code], [400, 'invalid_request']);
    const huge = await house.call('POST', '/fleet/jobs', { body: { bodyMd: 'x'.repeat(4 * 1024 * 1024) } });
    assert.deepEqual([huge.status, huge.body.code], [413, 'invalid_request']);
    assert.match(huge.body.detail, /too large/);
    const report = { stage: 'building', leaseEpoch: 1, more: 'x'.repeat(100_000) };
    assert.equal((await house.call('PATCH', '/fleet/jobs/a', { body: report })).status, 413);
    assert.equal((await house.call('GET', '/fleet/jobs/a')).body.stage, 'assigned');
  });

  it('is not talked into SQL, headers or addresses of another kind', async () => {
    const { house } = world();
    await house.add('a');
    for (const odd of [
      "a' OR '1'='1",
      'a"; DROP TABLE jobs; --',
      'a\u0000',
      '..',
      '%',
      'a/../b',
      '\r\nx: y',
      'é',
    ]) {
      const path = `/fleet/jobs/${encodeURIComponent(odd)}`;
      const answer = await house.call('GET', path);
      assert.equal(answer.status, 404, odd);
      assert.equal((await house.report(encodeURIComponent(odd), 'building', 1)).status, 404, odd);
      assert.equal(answer.headers.get('x'), null);
      assert.equal(
        (await house.call('POST', '/fleet/jobs', { body: { bodyMd: 'x', id: odd } })).status,
        400,
        odd,
      );
      assert.equal((await house.claim(odd)).status, 400, odd);
      const query = `stage=${encodeURIComponent(odd)}`;
      assert.equal((await house.call('GET', `/fleet/jobs?${query}`)).status, 400, odd);
    }
    const checkpoint = { wipBranch: "'); DELETE FROM jobs; --", wipCommit: '\r\nset-cookie: a=b' };
    await house.claim('f1');
    const body = { stage: 'building', leaseEpoch: 1, checkpoint };
    const answer = await house.call('PATCH', '/fleet/jobs/a', { body, key: "k'--" });
    assert.deepEqual([answer.body.checkpoint, answer.headers.get('set-cookie')], [checkpoint, null]);
    assert.equal((await house.call('GET', '/fleet/jobs')).body.jobs.length, 1);
  });

  it('cuts off who sends too slowly, and serves the others meanwhile', async () => {
    const house = await world().reopen({ headersMs: 300, requestMs: 600 });
    const slowly = async (head: string) => {
      const socket = net.connect(house.server.port, '127.0.0.1');
      await once(socket, 'connect');
      socket.on('error', () => undefined);
      let got = '';
      socket.on('data', (chunk) => {
        got += String(chunk);
      });
      const closed = once(socket, 'close');
      socket.write(head);
      const drip = setInterval(() => socket.write('a'), 100);
      await closed;
      clearInterval(drip);
      return got;
    };
    const started = performance.now();
    const authorization = `authorization: Bearer ${house.admin.token}\r\n`;
    const [head, body, ok] = await Promise.all([
      slowly('POST /api/fleet/claim HTTP/1.1\r\nhost: x\r\nx-a: '),
      slowly(
        `POST /api/fleet/claim HTTP/1.1\r\nhost: x\r\n${authorization}content-type: application/json\r\ncontent-length: 1000\r\n\r\n{`,
      ),
      house.call('GET', '/fleet/jobs'),
    ]);
    assert.ok(performance.now() - started < 5000);
    assert.match(head, /^(?:HTTP\/1\.1 408|$)/);
    assert.match(body, /^(?:HTTP\/1\.1 408|$)/);
    assert.equal(ok.status, 200);
  });
}
