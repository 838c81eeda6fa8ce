/** The demonstration: a small real repository, a home, and three jobs in its inbox. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export interface Demo {
  readonly folder: string;
  readonly home: string;
  readonly repository: string;
  /** The ids of its jobs, and the stage in which each comes to rest by itself. */
  readonly jobs: Readonly<Record<string, string>>;
}

const GREET = `/** Greets somebody by name. */
export function greet(name) {
  return \`Hello, \${name}!\`;
}
`;

const GREET_TEST = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { greet } from '../src/greet.js';

test('greets by name', () => assert.equal(greet('Ada'), 'Hello, Ada!'));
`;

const SAY_GOODBYE = (repository: string) => `---
engine: shell
cwd: ${repository}
verify: [node --test]
---
# Teach the greeter to say goodbye

The engine \`shell\` runs the blocks below. Put \`claude\`, \`codex\` or another engine in its
place, and this text becomes its prompt.

\`\`\`sh
echo "Writing the farewell …"
cat >> src/greet.js <<'END'

/** Says goodbye to somebody by name. */
export function farewell(name) {
  return \`Goodbye, \${name}!\`;
}
END
sed -i.bak "s/import { greet }/import { farewell, greet }/" test/greet.test.js && rm test/greet.test.js.bak
echo "test('says goodbye', () => assert.equal(farewell('Ada'), 'Goodbye, Ada!'));" >> test/greet.test.js
node --test
\`\`\`
`;

const FAILS = (repository: string) => `---
engine: shell
cwd: ${repository}
---
# Publish the changelog

\`\`\`sh
echo "Looking for the changelog …"
cat CHANGELOG.md
\`\`\`
`;

const BAD = (repository: string) => `---
engine: shell
cwd: ${repository}
timeout: soon
---
# Tidy up the imports

The \`timeout\` above is no duration, so this job waits for you instead of guessing.

\`\`\`sh
true
\`\`\`
`;

/** Makes everything in a new folder of the system's temporary directory. */
export function makeDemo(): Demo {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'agent-queue-demo-')));
  const repository = path.join(folder, 'greeter');
  const home = path.join(folder, 'home');
  const inbox = path.join(home, 'inbox');
  for (const each of [path.join(repository, 'src'), path.join(repository, 'test'), inbox]) {
    mkdirSync(each, { recursive: true });
  }
  writeFileSync(
    path.join(repository, 'package.json'),
    `${JSON.stringify({ name: 'greeter', type: 'module' })}\n`,
  );
  writeFileSync(path.join(repository, 'src/greet.js'), GREET);
  writeFileSync(path.join(repository, 'test/greet.test.js'), GREET_TEST);
  git(repository, 'init', '-q', '-b', 'main');
  git(repository, 'add', '.');
  const identity = ['-c', 'user.name=Agent Queue', '-c', 'user.email=agent-queue@localhost'];
  git(repository, ...identity, 'commit', '-qm', 'A greeter');
  writeFileSync(path.join(inbox, 'say-goodbye.md'), SAY_GOODBYE(repository));
  writeFileSync(path.join(inbox, 'publish-changelog.md'), FAILS(repository));
  writeFileSync(path.join(inbox, 'tidy-imports.md'), BAD(repository));
  // The runner is on, so that the jobs are run as soon as the window is open.
  writeFileSync(path.join(home, 'runner.on'), '');
  return {
    folder,
    home,
    repository,
    jobs: { 'say-goodbye': 'review', 'publish-changelog': 'failed', 'tidy-imports': 'blocked' },
  };
}

/** The commit messages of the repository's main branch, newest first. */
export function commitsOf({ repository }: Demo): string[] {
  return git(repository, 'log', '--format=%s', 'main').trim().split('\n');
}

function git(cwd: string, ...args: string[]): string {
  return execFileSync('git', args, { cwd, encoding: 'utf8' });
}
