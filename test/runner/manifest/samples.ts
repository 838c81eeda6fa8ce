/** Job files to vary, and chance that can be repeated. */
export const FULL = `---
engine: claude            # who does it
cwd: ~/code/app
yolo: true
lock: app-db
timeout: 4h
title: Faster imports
priority: 7
base: main
worktree: true
setup: npm ci
verify: [npm test]
ship: merge
review: person
retries: 2
needs: [other-job]
requires: [tool:docker]
tracker: https://github.com/acme/app/issues/7
---
The prompt, in Markdown.
`;

export const OLD_RUNNER = `---
engine: devin
cwd: /home/me/agent-queue
yolo: true
lock: agent-queue
timeout: 4h
---
ROLE: Senior engineer.
`;

/** Front matters that are valid, in every form that YAML offers. */
export const VALID = [
  FULL,
  OLD_RUNNER,
  'Only a prompt.\n',
  '---\n---\n# Heading\n',
  '\uFEFF---\r\nengine: codex\r\npriority: 0\r\n---\r\n\r\n# CRLF and a byte order mark\r\n',
  '---\nneeds:\n  - a\n  - "b"\n# comment\n\nrequires:\n- os:linux\n- tool:docker\n---\nlist\n',
  '---\nverify: |\n  npm ci\n  npm test\nsetup: >-\n  npm\n  ci\ntitle: "Quoted: title # not a comment"\n---\nx\n',
  "---\ntitle: 'It''s fine'\nengine: 'shell'\nlock: \"a\\u0041\"\n---\nx\n",
  '---\n{engine: claude, priority: 3, needs: [a, b]}\n---\nflow\n',
  '---\ncwd: ~\ntitle: 2026-11-22\nlock: 1.0\nbase: 0123\nneeds: [007, 1e3]\n---\nnumbers as text\n',
  '---\nrepo: git@github.com:acme/app.git\ncwd: packages/web\nengine: gemini\n---\ntravels\n',
  '---\nneeds: single\nverify: npm test\nrequires: repo:github.com/acme/app\nretries: 0\n---\nsingle values\n',
  '---\ntitle: a\n  continued line\nengine : opencode\nneeds: []\n---\nodd but YAML\n',
  '---\nx-team: [a, {b: c}]\nengine: my.engine-2\ntitle: emoji 😀 title\n---\nunknown key kept\n',
  '---\ntitle: Note #1, a:b & c\nlock: a#b\n---\n```sh\n# no heading\n```\n',
  '---\ntitle: "a # b"  # real comment\nlock: (x) $y ~z\npriority: "4"\n---\n## Later\n',
] as const;

/** A stream of whole numbers below a bound, always the same for a seed (mulberry32). */
export function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * below);
  };
}

// biome-ignore format: one to a line says no more
const PIECES = [
  '\t', '\n', '\r\n', '\r', ': ', ':', '-', '- ', '---\n', '...\n', '#', ' # ', '"', "'", '[', ']',
  '{', '}', '|', '>', '*a', '&a ', '!x ', '? ', '%', '@', '`', '~', '<<: ', ', ', '\\', '\0',
  '\u2028', '\uFEFF', '\uD83D',
  'engine: x\n', 'needs: [', 'null', 'true', '0', '  ', '__proto__: 1\n', '\n- b', '9'.repeat(30),
];

/** The text with one to four random deletions, insertions and duplications, most of them in its first 300 characters. */
export function mutate(text: string, next: (below: number) => number): string {
  let mutated = text;
  for (let times = 1 + next(4); times > 0; times -= 1) {
    const at = next(Math.min(mutated.length + 1, 300));
    const length = next(8);
    const kind = next(3);
    const middle =
      kind === 0 ? '' : kind === 1 ? (PIECES[next(PIECES.length)] ?? '') : mutated.slice(at, at + 40);
    mutated = mutated.slice(0, at) + middle + mutated.slice(kind === 0 ? at + length : at);
  }
  return mutated;
}
