import assert from 'node:assert/strict';
import { promptText } from '../../../src/runner/steps/prompt.ts';

const old = { text: 'Old remark', at: 1, done: true };
const fresh = { text: 'Use tabs', at: 2, done: false };

describe('what an engine is given to read', () => {
  it('is the body as it stands', () => {
    const body = '  # Title\n\n-x "quoted" $HOME `code`\n\n';
    assert.equal(promptText(body, {}, false), body);
    assert.equal(promptText(body, { comments: [old] }, false), body);
  });

  it('is only the new comment where its session goes on', () => {
    assert.equal(promptText('body', { comments: [old, fresh] }, true), 'Use tabs');
  });

  it('is both where it begins anew', () => {
    assert.match(
      promptText('body\n', { comments: [old, fresh] }, false),
      /^body\n\nThe work so far .*\n\nUse tabs$/,
    );
  });

  it('says that it was interrupted where there is no comment', () => {
    assert.match(promptText('body', { comments: [old] }, true), /^Your work was interrupted\./);
  });
});
