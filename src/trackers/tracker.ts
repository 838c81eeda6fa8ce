/** What the echo needs of an issue tracker. One file beside this one for each that is known. */

/** One issue, named by its address alone. */
export interface Issue {
  /** Where it lives, with its port if it has one: the one host that its token may be sent to. */
  readonly host: string;
  /** The address in its plainest form; what a queue on disk keeps. */
  readonly url: string;
}

/** A comment of which an earlier try may have arrived is looked for before it is made. */
export interface NewComment {
  readonly issue: Issue;
  /** Markdown. */
  readonly text: string;
  /** Hidden in the comment, and in no other: by it the comment is known again. */
  readonly marker: string;
  readonly token: string;
  /** When it was first tried (wall clock, ms); undefined: never. */
  readonly triedAt?: number | undefined;
  readonly signal: AbortSignal;
}

export type Outcome =
  /** The issue has the comment, from this try or an earlier one. */
  | { readonly kind: 'accepted' }
  /** No repeat would change it. */
  | { readonly kind: 'refused'; readonly why: string }
  /** The token is not good enough: for the whole host, or for this issue only. */
  | { readonly kind: 'unauthorized'; readonly scope: 'host' | 'issue'; readonly why: string }
  | {
      readonly kind: 'unreachable';
      readonly why: string;
      /** What the tracker asks for. */
      readonly retryAfterMs?: number;
      /** The comment may have been made all the same. */
      readonly isUnknown: boolean;
    };

export interface Tracker {
  /** The issue that an address names; undefined when it is none of this tracker's. */
  matches(url: string): Issue | undefined;
  /** Never rejects. */
  comment(comment: NewComment): Promise<Outcome>;
  /** Closes its connections; a later call opens new ones. */
  close(): Promise<void>;
}
