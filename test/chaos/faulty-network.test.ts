import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultyNetwork } from './faulty-network.ts';
import type { Message } from './message.ts';
import { TROUBLES } from './plan.ts';

const ANSWER = '{"stage":"testing","padding":"0123456789"}';

describe('the network in which everything goes wrong', () => {
  let arrived: string[];
  let server: http.Server;
  let network: FaultyNetwork;
  let url: string;
  let isTrap: (message: Message) => boolean;

  beforeEach(async () => {
    arrived = [];
    isTrap = () => false;
    server = http.createServer((request, response) => {
      arrived.push(request.url ?? '');
      response.setHeader('content-type', 'application/json').end(ANSWER);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const answered = (message: Message) => isTrap(message);
    network = new FaultyNetwork({ target: () => port, heard: () => undefined, answered });
    url = `http://127.0.0.1:${await network.listen()}/api/fleet/jobs/job-1`;
  });
  afterEach(async () => {
    await network.close();
    server.close();
    server.closeAllConnections();
  });

  const report = async () => {
    const body = JSON.stringify({ stage: 'testing', leaseEpoch: 3 });
    const answer = await fetch(url, { method: 'PATCH', body, headers: { 'idempotency-key': 'k' } });
    return answer.text();
  };

  it('carries requests and answers, and knows what they were', async () => {
    assert.equal(await report(), ANSWER);
    const [{ call, job, epoch, stage, key, status, fate } = {} as Message] = network.carried;
    assert.deepEqual(
      { call, job, epoch, stage, key, status, fate },
      ...[
        {
          call: 'report',
          job: 'job-1',
          epoch: 3,
          stage: 'testing',
          key: 'k',
          status: 200,
          fate: 'delivered',
        },
      ],
    );
  });

  it('refuses everything while it is cut', async () => {
    network.spoil('cut', 0);
    await assert.rejects(report());
    assert.equal(arrived.length, 0);
  });

  it('loses answers to requests that arrive', async () => {
    network.spoil('lost-answers', 0);
    await assert.rejects(report());
    assert.equal(arrived.length, 1);
    assert.equal(network.carried[0]?.status, 200);
  });

  it('delays requests', async () => {
    network.spoil('delay', 200);
    const asked = report();
    await sleep(60);
    assert.equal(arrived.length, 0);
    assert.equal(await asked, ANSWER);
  });

  it('holds answers back until it is mended', async () => {
    network.spoil('late-answers', 0);
    const asked = report();
    assert.equal(await Promise.race([asked, sleep(150, 'late')]), 'late');
    assert.equal(arrived.length, 1);
    network.mend();
    assert.equal(await asked, ANSWER);
  });

  it('breaks off in the middle of an answer', async () => {
    network.spoil('reset', 0);
    await assert.rejects(report());
    assert.equal(network.carried[0]?.fate, 'broken off');
  });

  it('delivers a request again, at once and later', async () => {
    network.spoil('duplicates', 30);
    assert.equal(await report(), ANSWER);
    while (arrived.length < 3) await sleep(10);
    assert.deepEqual(
      network.carried.map(({ isCopy, key }) => [isCopy, key]),
      [
        [false, 'k'],
        [true, 'k'],
        [true, 'k'],
      ],
    );
  });

  it('asks at each answer whether it is to be lost', async () => {
    isTrap = ({ stage }) => stage === 'testing';
    await assert.rejects(report());
    assert.equal(arrived.length, 1);
  });

  it('is whole again after every trouble', async () => {
    for (const trouble of TROUBLES) {
      network.spoil(trouble, 0);
      network.mend();
      assert.equal(await report(), ANSWER, trouble);
    }
  });
});
