/**
 * A job template as a snippet: the engine, the heading and the text below it become places to fill in, in that
 * order; everything else stays as it is. Snippet syntax: `$`, `}` and a backslash are escaped.
 */
export function snippetOf(template: string): string {
  let stop = 0;
  const place = (text: string): string => {
    stop += 1;
    return `\${${stop}:${escape(text)}}`;
  };
  return template
    .split('\n')
    .map((line) => {
      const [, key, value] = /^(engine: |# )(.+)$/.exec(line) ?? [];
      if (key !== undefined && value !== undefined) return key + place(value);
      // The sentence that says what belongs there; code and front matter are kept.
      return /^[A-Z].*\.$/.test(line) ? place(line) : escape(line);
    })
    .join('\n');
}

function escape(text: string): string {
  return text.replace(/[\\$}]/g, String.raw`\$&`);
}
