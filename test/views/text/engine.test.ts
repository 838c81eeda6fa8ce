import assert from 'node:assert/strict';
import { engineDetail } from '../../../src/views/text/engine.ts';
import type { Translate } from '../../../src/views/text/translate.ts';

const t: Translate = (message, ...args) =>
  message.replace(/\{(\d)\}/g, (_, index: string) => String(args[Number(index)]));

it('an engine is said to be missing, or with its version where it has told one', () => {
  assert.equal(engineDetail('Codex', { found: false }, t), 'Codex, not installed');
  assert.equal(engineDetail('Codex', { found: true, version: '0.169.0' }, t), 'Codex 0.169.0');
  assert.equal(engineDetail('Codex', { found: true, version: undefined }, t), 'Codex');
});
