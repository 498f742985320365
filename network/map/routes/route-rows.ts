// Ranges of addresses with the network (ASN) that each is of, as they are read, in typed arrays. Pure.

import type { AddressRange } from '../address.ts';

/** Of one family of addresses. A row's first and last address are runs of `words` words. */
export class RouteRows {
  readonly words: 1 | 4;
  #firsts: Uint32Array;
  #lasts: Uint32Array;
  #asns = new Uint32Array(1024);
  #count = 0;

  /** `words` is that of the addresses: 1 for IPv4, 4 for IPv6. */
  constructor(words: 1 | 4) {
    this.words = words;
    this.#firsts = new Uint32Array(1024 * words);
    this.#lasts = new Uint32Array(1024 * words);
  }

  get count(): number {
    return this.#count;
  }

  get firsts(): Uint32Array {
    return this.#firsts;
  }

  get lasts(): Uint32Array {
    return this.#lasts;
  }

  get asns(): Uint32Array {
    return this.#asns;
  }

  /** A range that was the last one too takes its place: dumps repeat a prefix for each neighbour that told of it. */
  add({ first, last }: AddressRange, asn: number): void {
    const row = this.#isLast(first, last) ? this.#count - 1 : this.#count++;
    if (row === this.#asns.length) this.#grow();
    this.#firsts.set(first, row * this.words);
    this.#lasts.set(last, row * this.words);
    this.#asns[row] = asn;
  }

  /** Rows by their first address, an outer range before those that begin with it, equal ranges as they were read. */
  inOrder(): Uint32Array {
    let rows = Uint32Array.from({ length: this.#count }, (_, row) => row);
    for (const [column, flip] of [
      [this.#lasts, 0xffff_ffff],
      [this.#firsts, 0],
    ] as const)
      for (let word = this.words - 1; word >= 0; word--)
        for (const shift of [0, 16])
          rows = sortByDigit(rows, (row) => ((column[row * this.words + word]! ^ flip) >>> shift) & 0xffff);
    return rows;
  }

  #isLast(first: readonly number[], last: readonly number[]): boolean {
    if (this.#count === 0) return false;
    const at = (this.#count - 1) * this.words;
    for (let word = 0; word < this.words; word++)
      if (this.#firsts[at + word] !== first[word] || this.#lasts[at + word] !== last[word]) return false;
    return true;
  }

  #grow(): void {
    this.#firsts = doubled(this.#firsts);
    this.#lasts = doubled(this.#lasts);
    this.#asns = doubled(this.#asns);
  }
}

export function doubled(column: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(column.length * 2);
  larger.set(column);
  return larger;
}

/** A step of a radix sort: a million rows take some 10 ms, where sorting by comparison takes most of a second. */
function sortByDigit(
  rows: Uint32Array<ArrayBuffer>,
  digitOf: (row: number) => number,
): Uint32Array<ArrayBuffer> {
  const places = new Uint32Array(0x1_0000);
  for (const row of rows) places[digitOf(row)]!++;
  if (places.includes(rows.length)) return rows;
  let place = 0;
  for (const [digit, count] of places.entries()) {
    places[digit] = place;
    place += count;
  }
  const sorted = new Uint32Array(rows.length);
  for (const row of rows) sorted[places[digitOf(row)]!++] = row;
  return sorted;
}
