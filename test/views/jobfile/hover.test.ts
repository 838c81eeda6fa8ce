import assert from 'node:assert/strict';
import { KEY_NAMES } from '../../../src/runner/manifest/keys.ts';
import { describeKey, hoverAt } from '../../../src/views/jobfile/hover.ts';
import { marked, t } from './marked.ts';

describe('hoverAt', () => {
  const at = (withMark: string) => {
    const { text, offset } = marked(withMark);
    const hover = hoverAt(text, offset, t);
    return hover && { ...hover, over: text.slice(hover.span.start, hover.span.end) };
  };

  it('describes the key under the cursor', () => {
    const hover = at('---\nengine: claude\ntime|out: 4h\n---\nb');
    assert.equal(hover?.over, 'timeout');
    assert.match(hover.markdown, /^\*\*timeout\*\* — «How long the engine may run/);
    assert.match(hover.markdown, /«Without it: `1h`»/);
    assert.match(hover.markdown, /```yaml\ntimeout: 4h\n```$/);
  });

  it('describes the key of the value under the cursor', () => {
    const hover = at('---\nneeds: [a, b|c]\n---\nb');
    assert.equal(hover?.over, 'bc');
    assert.match(hover.markdown, /^\*\*needs\*\*/);
  });

  it('names the values that there are', () => {
    assert.match(describeKey('ship', t), /«Values: `merge`, `push`, `pr`, `none`»/);
  });

  it('says nothing of other words, and nothing from the file', () => {
    assert.equal(at('---\nmo|del: x\n---\nb'), undefined);
    assert.equal(at('---\nengine: x\n---\nengi|ne: x'), undefined);
    assert.doesNotMatch(at('---\nti|tle: "[click](command:x)"\n---\nb')?.markdown ?? '', /click/);
  });

  it('has a sentence for every key', () => {
    for (const name of KEY_NAMES) assert.match(describeKey(name, t), /— «[A-Z].*\.»\n/, name);
  });
});
