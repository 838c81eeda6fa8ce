/**
 * The shapes of well-known secrets that a log may show although nobody named them. A shape is a fixed opening,
 * then at least `least` characters of one set, then all that follow of the set `rest`.
 */
export interface TokenShape {
  readonly opening: string;
  /** One regular expression character class. */
  readonly body: string;
  readonly least: number;
  /** What goes on being secret after that, over and over: a pattern for one character, or for two of which the first is `\\` or `-`. */
  readonly rest: string;
  /** The opening counts only where no word runs into it: `sk-` is also the end of `task-`. */
  readonly wordStart?: boolean;
}

const ALNUM = '[A-Za-z0-9]';
const WORD = '[A-Za-z0-9_]';
const DASHED = '[A-Za-z0-9_-]';
/** RFC 6750, section 2.1. */
const BEARER = '[A-Za-z0-9._~+/=-]';
/**
 * The inside of a PEM block: base64, line ends (also escaped, as in JSON), header lines, and what tools put before
 * the lines they show (numbers, `|`, `→`, `>`, `+`). Anything else ends it: the dashes of the closing line, and the
 * quote or bracket behind the opening in source code that only mentions it.
 */
const PEM = '[A-Za-z0-9+/=\\s:,|→>]|-[A-Za-z0-9]|\\\\[nrt]';

const shape = (opening: string, body: string, least: number): TokenShape => ({
  opening,
  body,
  least,
  rest: body,
});

export const TOKEN_SHAPES: readonly TokenShape[] = [
  ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'].map((opening) => shape(opening, WORD, 20)),
  shape('github_pat_', WORD, 20),
  shape('glpat-', DASHED, 16),
  ...['sk-ant-', 'sk-proj-', 'sk-svcacct-', 'sk-or-'].map((opening) => shape(opening, DASHED, 16)),
  { ...shape('sk-', ALNUM, 20), rest: DASHED, wordStart: true },
  ...['xoxa-', 'xoxb-', 'xoxe-', 'xoxp-', 'xoxr-', 'xoxs-'].map((opening) =>
    shape(opening, '[A-Za-z0-9-]', 10),
  ),
  ...['AKIA', 'ASIA'].map((opening) => shape(opening, '[A-Z0-9]', 16)),
  shape('npm_', ALNUM, 36),
  shape('AIza', DASHED, 35),
  ...['Bearer ', 'bearer ', 'BEARER '].map((opening) => shape(opening, BEARER, 20)),
  ...['', 'RSA ', 'EC ', 'DSA ', 'OPENSSH ', 'ENCRYPTED '].map((kind) => ({
    ...shape(`-----BEGIN ${kind}PRIVATE KEY-----`, '', 0),
    rest: PEM,
  })),
  { ...shape('-----BEGIN PGP PRIVATE KEY BLOCK-----', '', 0), rest: PEM },
];
