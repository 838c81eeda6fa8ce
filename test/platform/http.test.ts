import assert from 'node:assert/strict';
import { Http } from '../../src/platform/http.ts';

describe('an HTTP exchange', () => {
  it('that cannot be made is told in words that quote nothing of it', async () => {
    const http = new Http();
    const { signal } = new AbortController();
    const secret = 'token-sentinel-4711';
    for (const request of [
      { url: 'http://127.0.0.1:9/', headers: { authorization: `Bearer ${secret}\n` } },
      { url: 'http://127.0.0.1:9/', headers: { [`${secret} x`]: 'y' } },
      { url: `${secret}://127.0.0.1/`, headers: {} },
    ]) {
      const answer = await http.exchange({ method: 'GET', signal, ...request });
      assert.equal(answer.status, undefined);
      assert.match(answer.why ?? '', /^the connection failed/);
      assert.ok(!JSON.stringify(answer).includes(secret));
    }
    await http.close();
  });
});
