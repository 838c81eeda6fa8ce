import assert from 'node:assert/strict';
import { tokenOf } from '../../src/trackers/token.ts';

describe('the token that the environment gives', () => {
  const rows: readonly (readonly [
    string,
    NodeJS.ProcessEnv,
    Readonly<Record<string, string | undefined>>,
  ])[] = [
    ['none', {}, { 'github.com': undefined, 'ghe.example': undefined }],
    [
      'a bare one, which is github.com’s',
      { AQ_TRACKER_TOKEN: ' ghp_a ' },
      {
        'github.com': 'ghp_a',
        'GitHub.com': 'ghp_a',
        'ghe.example': undefined,
        'github.com:8443': undefined,
      },
    ],
    [
      'one for each host',
      { AQ_TRACKER_TOKEN: 'GHE.example = a=b== , ghe.example:8443=c,github.com=d' },
      {
        'ghe.example': 'a=b==',
        'ghe.example:8443': 'c',
        'github.com': 'd',
        example: undefined,
        'x.ghe.example': undefined,
      },
    ],
    [
      'one of a host that is misspelt, which is nobody’s',
      { AQ_TRACKER_TOKEN: 'https://ghe.example/=a,=b,ghe.example=,c d' },
      { 'github.com': undefined, 'ghe.example': undefined },
    ],
    [
      'that of GitHub’s command line',
      { GITHUB_TOKEN: 'b', GH_TOKEN: 'a', GH_ENTERPRISE_TOKEN: 'c', GH_HOST: 'GHE.example' },
      { 'github.com': 'a', 'ghe.example': 'c', 'other.example': undefined },
    ],
    [
      'that of an action',
      { GITHUB_TOKEN: 'b', GH_TOKEN: ' ' },
      { 'github.com': 'b', 'ghe.example': undefined },
    ],
    ['one for an unnamed host', { GH_ENTERPRISE_TOKEN: 'c' }, { 'github.com': undefined, '': undefined }],
    [
      'one for github.com alone, whatever host is the enterprise’s',
      { GH_ENTERPRISE_TOKEN: 'c', GH_HOST: 'github.com' },
      { 'github.com': undefined },
    ],
    [
      'our own before GitHub’s',
      { AQ_TRACKER_TOKEN: 'ghe.example=a', GH_TOKEN: 'b', GH_ENTERPRISE_TOKEN: 'c', GH_HOST: 'ghe.example' },
      { 'ghe.example': 'a', 'github.com': 'b' },
    ],
  ];
  for (const [name, env, expected] of rows) {
    it(name, () => {
      const given = Object.fromEntries(Object.keys(expected).map((host) => [host, tokenOf(env, host)]));
      assert.deepEqual(given, expected);
    });
  }
});
