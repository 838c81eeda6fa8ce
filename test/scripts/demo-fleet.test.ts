import assert from 'node:assert/strict';
import path from 'node:path';
import { execa } from 'execa';

const ROOT = path.resolve(import.meta.dirname, '../..');

describe('the demonstration of a fleet', function () {
  this.timeout(180_000);

  it('ships each of 20 jobs once, although one factory is killed and one is cut off and comes back', async () => {
    const { stdout, exitCode, stderr } = await execa({
      cwd: ROOT,
      node: true,
      reject: false,
    })`scripts/demo-fleet.ts --built`;
    assert.equal(exitCode, 0, `${stdout}\n${stderr}`);
    const rows = stdout.split('\n').filter((line) => / shipped +1×/.test(line));
    assert.equal(rows.length, 20, stdout);
    assert.match(stdout, /late-result +anybody +ada \(1\), then bob \(2\) +shipped +1× +at ada$/m);
    assert.match(stdout, /power-cut +tool:glue +bob \(1\) +shipped +1×$/m);
    assert.match(stdout, /^Each of the 20 jobs was shipped once/m);
  });
});
