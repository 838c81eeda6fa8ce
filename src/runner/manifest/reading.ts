/** What reading a value gave: the value, or what was expected instead ("a duration such as 90s, 30m, 4h or 1d"). */
export type Reading<T> = { readonly value: T } | { readonly expected: string };
