/** Text from files, engines and coordinators without what a terminal or a screen would obey: control characters and the marks that reorder text. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u202A-\u202E\u2066-\u2069]+/gu, ' ');
}
