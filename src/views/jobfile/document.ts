import path from 'node:path';
import { splitFrontMatter } from '../../runner/manifest/frontmatter.ts';
import { LONGEST_FRONT_MATTER } from '../../runner/manifest/yaml.ts';
import { directoryOf, STAGES, type Stage } from '../../runner/stages.ts';

/** The stage whose folder a file lies in; undefined for a file outside the home. */
export function stageOfFile(fsPath: string, homeDir: string): Stage | undefined {
  const folder = path.relative(homeDir, path.dirname(fsPath));
  return STAGES.find((stage) => directoryOf(stage) === folder);
}

/**
 * Whether a Markdown document is a job: it lies in a stage folder of the home, it is named `*.job.md`, or its
 * front matter has the key `engine`. Untitled documents are judged by their text.
 */
export function isJobDocument(fsPath: string, text: string, homeDir: string): boolean {
  if (/\.job\.md$/i.test(fsPath)) return true;
  if (/\.md$/i.test(fsPath) && stageOfFile(fsPath, homeDir) !== undefined) return true;
  const region = frontMatterRegion(text);
  return region !== undefined && /^engine[ \t]*:/m.test(text.slice(region.start, region.end));
}

/** The lines between the delimiters, as offsets; where the closing one is missing, as much as they may be. */
export function frontMatterRegion(text: string): { start: number; end: number } | undefined {
  const front = splitFrontMatter(text);
  if (front.kind === 'closed') return front.yaml;
  if (front.kind === 'none') return undefined;
  const { end } = front.opening;
  const start = end + (/^[ \t]*(?:\r\n|\n|\r)?/.exec(text.slice(end, end + 100))?.[0].length ?? 0);
  return { start, end: Math.min(text.length + 1, start + LONGEST_FRONT_MATTER) };
}
