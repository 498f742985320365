// The head of a live table: its buttons sort, and rows stay in their order where that is wanted.

import { element } from '../../../player/page/dom.ts';
import type { Column } from './columns.ts';

const ALPHABET = new Intl.Collator('en', { numeric: true });

export interface OrderingOptions<Row> {
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string;
  readonly sortedBy: number;
  readonly changed: () => void;
}

export class Ordering<Row> {
  readonly head = element('thead', '');
  readonly #options: OrderingOptions<Row>;
  #column: number;
  #isTurned = false;
  /** Places by key, of the order that was shown last. */
  #places = new Map<string, number>();

  constructor(options: OrderingOptions<Row>) {
    this.#options = options;
    this.#column = options.sortedBy;
    const row = element('tr', '');
    row.append(...options.columns.map((column, index) => this.#headCell(column, index)));
    this.head.append(row);
    this.#mark();
  }

  /** `isKept`: rows that were there stay in their places, new ones come last. */
  sort(rows: readonly Row[], isKept: boolean): readonly Row[] {
    const { keyOf } = this.#options;
    const sorted = isKept && this.#places.size > 0 ? this.#asBefore(rows) : this.#byColumn(rows);
    this.#places = new Map(sorted.map((row, place) => [keyOf(row), place]));
    return sorted;
  }

  #asBefore(rows: readonly Row[]): readonly Row[] {
    const placeOf = (row: Row): number => this.#places.get(this.#options.keyOf(row)) ?? rows.length;
    return rows.toSorted((one, other) => placeOf(one) - placeOf(other));
  }

  #byColumn(rows: readonly Row[]): readonly Row[] {
    const by = this.#options.columns[this.#column]?.by;
    if (!by) return rows;
    const sorted = rows.map((row) => ({ row, value: by(row) })).sort(inOrder);
    return (this.#isTurned ? sorted.reverse() : sorted).map(({ row }) => row);
  }

  #headCell({ title, className = '', by }: Column<Row>, index: number): HTMLTableCellElement {
    const cell = element('th', className);
    cell.scope = 'col';
    if (!by) {
      cell.textContent = title;
      return cell;
    }
    const button = element('button', 'sort', title);
    button.type = 'button';
    button.addEventListener('click', () => this.#choose(index));
    cell.append(button);
    return cell;
  }

  #choose(index: number): void {
    this.#isTurned = index === this.#column && !this.#isTurned;
    this.#column = index;
    this.#places.clear();
    this.#mark();
    this.#options.changed();
  }

  #mark(): void {
    for (const [index, cell] of [...this.head.rows[0]!.cells].entries())
      cell.ariaSort = index === this.#column ? this.#direction(cell) : null;
  }

  #direction(cell: HTMLTableCellElement): 'ascending' | 'descending' {
    return cell.classList.contains('number') !== this.#isTurned ? 'descending' : 'ascending';
  }
}

interface Sortable {
  readonly value: number | string;
}

/** Numbers from the largest, words from A. What is equal stays as it was. */
function inOrder({ value: one }: Sortable, { value: other }: Sortable): number {
  if (typeof one === 'number' && typeof other === 'number') return other - one;
  return ALPHABET.compare(String(one), String(other));
}
