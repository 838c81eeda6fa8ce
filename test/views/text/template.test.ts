import assert from 'node:assert/strict';
import { newJobTemplate } from '../../../src/runner/manifest/template.ts';
import { snippetOf } from '../../../src/views/text/template.ts';

describe('template of a job', () => {
  it('becomes a snippet with places for engine, title and text', () => {
    assert.equal(
      snippetOf(newJobTemplate({ engine: 'claude', cwd: '~/app' })),
      '---\nengine: ${1:claude}\ncwd: ~/app\ntimeout: 1h\n---\n# ${2:What is to be done}\n\n${3:Say what is wanted, where it belongs, and how one can tell that it is done.}\n',
    );
  });

  it('keeps shell code from being read as snippet syntax', () => {
    assert.match(snippetOf(newJobTemplate({ engine: 'shell' })), /^echo "Hello from \\\$\(pwd\)"$/m);
  });
});
