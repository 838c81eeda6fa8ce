import assert from 'node:assert/strict';
import { KEY_NAMES } from '../../../src/runner/manifest/keys.ts';
import { nearest } from '../../../src/runner/manifest/nearest.ts';

describe('nearest', () => {
  for (const [word, meant] of [
    ['engin', 'engine'],
    ['Engine', 'engine'],
    ['enigne', 'engine'],
    ['timout', 'timeout'],
    ['prioritiy', 'priority'],
    ['need', 'needs'],
    ['cdw', 'cwd'],
    ['tittle', 'title'],
    ['model', undefined],
    ['author', undefined],
    ['x', undefined],
    ['', undefined],
    ['constructor', undefined],
  ] as const) {
    it(`takes ${JSON.stringify(word)} for ${meant ?? 'nothing'}`, () =>
      assert.equal(nearest(word, KEY_NAMES), meant));
  }
});
