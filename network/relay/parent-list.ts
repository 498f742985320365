// Which parent is tried next, and how long to wait before that. Pure: it knows neither time nor connections.

import type { Parent } from '../state/state.ts';

/** The parent that a feed comes from, and whether anything comes to that one. */
export interface Present {
  readonly parent: Parent;
  readonly isFed: boolean;
}

/** Without a parent viewers wait: the pauses between tries grow from the one to the other. */
const FIRST_PAUSE_MS = 50;
const LAST_PAUSE_MS = 1_000;
/** A better parent than the present one is looked for now and then. */
const FIRST_SEEK_MS = 2_000;
const LAST_SEEK_MS = 60_000;

export class ParentList {
  #parents: readonly Parent[];
  /** Rank of the one that was tried or left last. */
  #last = -1;
  /** Tries in vain since a parent was left that was good. */
  #failures = 0;
  #seeks = 0;
  #someAreGone = false;

  constructor(parents: readonly Parent[]) {
    this.#parents = parents;
  }

  /** Returns whether the list is another one. Of one that has become longer, the new ones are tried first. */
  replace(parents: readonly Parent[]): boolean {
    const isSame = parents.every((parent, rank) => isEqual(parent, this.#parents[rank]));
    if (isSame && parents.length === this.#parents.length) return false;
    const isLonger = parents.length > this.#parents.length;
    const isExtended = isLonger && this.#parents.every((parent, rank) => isEqual(parent, parents[rank]));
    this.#last = isExtended ? this.#parents.length - 1 : -1;
    this.#parents = parents;
    this.#failures = 0;
    this.#seeks = 0;
    this.#someAreGone = false;
    return true;
  }

  /** The parent to try next, if there is a better one than the present. */
  next(present: Present | undefined): Parent | undefined {
    const eligible = this.#eligible(present);
    return eligible.find((parent) => this.#rankOf(parent) > this.#last) ?? eligible[0];
  }

  isBetter(parent: Parent, present: Present): boolean {
    return this.#eligible(present).some((other) => isEqual(other, parent));
  }

  /** How long to wait before the next try: not at all while there is one that was not tried. */
  pauseMs(present: Present | undefined): number {
    const untried = this.#eligible(present).length - this.#failures;
    if (untried > 0) return 0;
    return present?.isFed
      ? this.seekMs()
      : Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(-untried, 10));
  }

  /** How long to be content with a parent that is not the best. */
  seekMs(): number {
    return Math.min(LAST_SEEK_MS, FIRST_SEEK_MS * 2 ** Math.min(this.#seeks++, 10));
  }

  joined(): void {
    this.#last = -1;
    this.#someAreGone = false;
  }

  /** The present parent failed, or has nothing itself. */
  left(parent: Parent, wasGood: boolean): void {
    this.#last = this.#rankOf(parent);
    this.#failures = wasGood ? 0 : this.#failures + 1;
  }

  /** A try was in vain; `isGone` when what the feed needs next is not to be had there any more. */
  failed(parent: Parent, isGone: boolean): void {
    this.#last = this.#rankOf(parent);
    this.#failures++;
    this.#someAreGone ||= isGone;
  }

  /**
   * Each parent was tried in vain. When one of them lives and has what comes later only, waiting for the others is of no
   * use: what is needed next is gone.
   */
  verdict(present: Present | undefined): 'gone' | 'exhausted' | 'open' {
    const { length } = this.#eligible(present);
    if (present?.isFed || this.#failures < length) return 'open';
    if (!present && this.#someAreGone) return 'gone';
    return length === 0 || this.#failures % length === 0 ? 'exhausted' : 'open';
  }

  #eligible(present: Present | undefined): readonly Parent[] {
    if (!present) return this.#parents;
    const rank = this.#rankOf(present.parent);
    return this.#parents.filter((_, other) => (present.isFed ? other < rank : other !== rank));
  }

  /** One that is not in the list stands behind all that are. */
  #rankOf(parent: Parent): number {
    const rank = this.#parents.findIndex((other) => isEqual(parent, other));
    return rank < 0 ? this.#parents.length : rank;
  }
}

function isEqual(one: Parent, other: Parent | undefined): boolean {
  return one.id === other?.id && one.relayUrl === other.relayUrl;
}
