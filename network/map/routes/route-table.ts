// A route table: which network (ASN) an address is of, by the longest prefix that holds it. Pure.

import type { Address } from '../address.ts';
import { doubled, type RouteRows } from './route-rows.ts';

/** What a table is made of, and what travels from thread to thread. */
export interface RouteColumns {
  /** Of an address: 1 for IPv4, 4 for IPv6. */
  readonly words: number;
  /** First addresses, and the ASN up to the next of them: 0 for nobody's. */
  readonly starts: Uint32Array<ArrayBuffer>;
  readonly asns: Uint32Array<ArrayBuffer>;
}

/**
 * Prefixes cut into ranges that do not overlap, in the order of their first addresses: a binary search finds one, and a table
 * takes 8 bytes a range of IPv4 addresses, 20 of IPv6.
 */
export class RouteTable {
  readonly columns: RouteColumns;

  constructor(columns: RouteColumns) {
    this.columns = columns;
  }

  /** ASN of an address of the table's family; 0 when no prefix holds it. */
  lookup(address: Address): number {
    const { asns } = this.columns;
    let low = 0;
    let high = asns.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#startsAfter(middle, address)) high = middle;
      else low = middle + 1;
    }
    return low === 0 ? 0 : asns[low - 1]!;
  }

  #startsAfter(range: number, address: Address): boolean {
    const { words, starts } = this.columns;
    for (let word = 0; word < words; word++) {
      const start = starts[range * words + word]!;
      if (start !== address[word]) return start > address[word]!;
    }
    return false;
  }
}

/** A range inside of another goes before it, whatever the order of the rows; of equal ranges the last row. */
export function buildRouteTable(rows: RouteRows): RouteTable {
  const table = new TableWriter(rows.words);
  /** Rows that the address of the moment lies in, the innermost last. */
  const open: number[] = [];
  for (const row of rows.inOrder()) {
    while (endsBefore(rows, open.at(-1), row)) closeInnermost(rows, open, table);
    table.write(rows.firsts.subarray(row * rows.words, (row + 1) * rows.words), rows.asns[row]!);
    open.push(row);
  }
  while (open.length > 0) closeInnermost(rows, open, table);
  return table.end();
}

class TableWriter {
  readonly #words: number;
  #starts: Uint32Array<ArrayBuffer>;
  #asns = new Uint32Array(1024);
  #count = 0;

  constructor(words: number) {
    this.#words = words;
    this.#starts = new Uint32Array(1024 * words);
  }

  /** From `start` on; starts come in ascending order, and of equal ones the last counts. */
  write(start: Uint32Array, asn: number): void {
    const at = (this.#count - 1) * this.#words;
    if (this.#count > 0 && start.every((word, index) => this.#starts[at + index] === word)) this.#count--;
    if (this.#count > 0 && this.#asns[this.#count - 1] === asn) return;
    const range = this.#count++;
    if (range === this.#asns.length) {
      this.#starts = doubled(this.#starts);
      this.#asns = doubled(this.#asns);
    }
    this.#starts.set(start, range * this.#words);
    this.#asns[range] = asn;
  }

  end(): RouteTable {
    const starts = this.#starts.slice(0, this.#count * this.#words);
    return new RouteTable({ words: this.#words, starts, asns: this.#asns.slice(0, this.#count) });
  }
}

function endsBefore(rows: RouteRows, ending: number | undefined, beginning: number): boolean {
  if (ending === undefined) return false;
  return compareRows(rows.lasts, ending, rows.firsts, beginning, rows.words) < 0;
}

/** Behind its end goes on what lies around it. Ranges that overlap without one holding the other end here too. */
function closeInnermost(rows: RouteRows, open: number[], table: TableWriter): void {
  const closed = open.pop()!;
  const isOver = (row: number): boolean => compareRows(rows.lasts, row, rows.lasts, closed, rows.words) <= 0;
  while (open.length > 0 && isOver(open.at(-1)!)) open.pop();
  const behind = addressAfter(rows.lasts.slice(closed * rows.words, (closed + 1) * rows.words));
  const around = open.at(-1);
  if (behind) table.write(behind, around === undefined ? 0 : rows.asns[around]!);
}

function compareRows(
  one: Uint32Array,
  oneRow: number,
  other: Uint32Array,
  otherRow: number,
  words: number,
): number {
  for (let word = 0; word < words; word++) {
    const difference = one[oneRow * words + word]! - other[otherRow * words + word]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Undefined after the last address of all. */
function addressAfter(next: Uint32Array): Uint32Array | undefined {
  for (let word = next.length - 1; word >= 0; word--) {
    next[word]!++;
    if (next[word] !== 0) return next;
  }
  return undefined;
}
