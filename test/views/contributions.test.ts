import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { bundleText } from '../../scripts/l10n.ts';
import {
  COMMANDS,
  CONTAINER,
  CONTEXT_KEYS,
  SCHEMES,
  SETTINGS,
  SETTINGS_SECTION,
  VIEWS,
} from '../../src/views/contributions.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const manifest = JSON.parse(read('package.json')) as Manifest;
const strings = JSON.parse(read('package.nls.json')) as Record<string, string>;
const { contributes } = manifest;

interface Placed {
  readonly command: string;
  readonly when?: string;
}

interface Manifest {
  readonly l10n: string;
  readonly activationEvents: readonly string[];
  readonly capabilities: {
    readonly untrustedWorkspaces: { readonly restrictedConfigurations: readonly string[] };
  };
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly views: Readonly<Record<string, readonly { readonly id: string }[]>>;
    readonly viewsWelcome: readonly { readonly view: string; readonly when: string }[];
    readonly menus: Readonly<Record<string, readonly Placed[]>>;
    readonly keybindings: readonly Placed[];
    readonly configuration: {
      readonly properties: Readonly<
        Record<string, { readonly scope: string; readonly markdownDescription: string }>
      >;
    };
    readonly walkthroughs: readonly {
      readonly steps: readonly {
        readonly media: { readonly svg: string };
        readonly completionEvents: readonly string[];
      }[];
    }[];
  };
}

const sorted = (list: Iterable<string>): string[] => [...list].sort();

describe('contributions', () => {
  it('have the same commands, views and settings in package.json and in code', () => {
    assert.deepEqual(
      sorted(contributes.commands.map(({ command }) => command)),
      sorted(Object.values(COMMANDS)),
    );
    assert.deepEqual(
      contributes.views[CONTAINER]?.map(({ id }) => id),
      Object.values(VIEWS),
    );
    const settings = Object.values(SETTINGS).map((key) => `${SETTINGS_SECTION}.${key}`);
    assert.deepEqual(sorted(Object.keys(contributes.configuration.properties)), sorted(settings));
  });

  it('name in menus, key bindings and texts only commands that there are', () => {
    const known = new Set<string>(Object.values(COMMANDS));
    const placed = [...Object.values(contributes.menus).flat(), ...contributes.keybindings];
    for (const { command } of placed) assert.ok(known.has(command), command);
    for (const [, command = ''] of Object.values(strings)
      .join('\n')
      .matchAll(/command:(agentQueue[\w.]*)/g)) {
      assert.ok(known.has(command), command);
    }
  });

  it('use in conditions only context keys that are set', () => {
    const known = new Set<string>([...Object.values(CONTEXT_KEYS), ...Object.values(VIEWS)]);
    const placed = [
      ...Object.values(contributes.menus).flat(),
      ...contributes.keybindings,
      ...contributes.viewsWelcome,
    ];
    for (const { when } of placed) {
      for (const [key] of (when ?? '').matchAll(/agentQueue[\w.]*/g)) assert.ok(known.has(key), key);
    }
  });

  it('are read at startup, and for documents of ours that the editor brings back', () => {
    const files = Object.values(SCHEMES).map((scheme) => `onFileSystem:${scheme}`);
    assert.deepEqual(sorted(manifest.activationEvents), sorted(['onStartupFinished', ...files]));
  });

  it('let no workspace set what runs on the machine', () => {
    const { properties } = contributes.configuration;
    assert.deepEqual(
      sorted(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations),
      sorted(Object.keys(properties)),
    );
    for (const [key, { scope }] of Object.entries(properties)) assert.equal(scope, 'machine', key);
  });

  it('have a picture for every step of the walkthrough', () => {
    for (const { media } of contributes.walkthroughs.flatMap(({ steps }) => steps)) {
      assert.ok(existsSync(path.join(ROOT, media.svg)), media.svg);
    }
  });
});

describe('texts', () => {
  it('of package.json are all in package.nls.json, which has no others', () => {
    const used = new Set([...JSON.stringify(manifest).matchAll(/"%([\w.]+)%"/g)].map(([, key = '']) => key));
    assert.deepEqual(sorted(used), sorted(Object.keys(strings)));
  });

  it('of the sources are all in the bundle for translators (node scripts/l10n.ts)', () => {
    assert.equal(read(path.join(manifest.l10n, 'bundle.l10n.json')), bundleText());
  });
});
