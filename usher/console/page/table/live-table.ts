// A table whose rows change each second. Of long ones only the rows on the screen exist; whoever reads or points is not run away from.

import { element } from '../../../player/page/dom.ts';
import { Keyed, makeScrollable } from '../parts/dom.ts';
import type { Column } from './columns.ts';
import { Ordering } from './ordering.ts';

export interface LiveTableOptions<Row> {
  readonly table: HTMLTableElement;
  /** What it is of, for screen readers. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string;
  /** Index of the column that it is sorted by at first. */
  readonly sortedBy: number;
  /** What scrolls, and how high each row is there. Without it all rows exist. */
  readonly window?: { readonly scroll: HTMLElement; readonly rowPx: number };
}

/** Rows that exist above and below the window. */
const SPARE_ROWS = 8;

export class LiveTable<Row> {
  readonly #options: LiveTableOptions<Row>;
  readonly #ordering: Ordering<Row>;
  readonly #body: Keyed<Row, HTMLTableRowElement>;
  readonly #above = spacer();
  readonly #below = spacer();
  #rows: readonly Row[] = [];

  constructor(options: LiveTableOptions<Row>) {
    const { table, caption, columns, keyOf, sortedBy, window: view } = options;
    this.#options = options;
    const body = element('tbody', '');
    this.#body = new Keyed(
      body,
      keyOf,
      () => rowOf(columns),
      (made, row) => showRow(made, row, columns),
    );
    this.#ordering = new Ordering({ columns, keyOf, sortedBy, changed: () => this.#draw(true) });
    table.replaceChildren(
      element('caption', 'unseen', caption),
      this.#ordering.head,
      this.#above,
      body,
      this.#below,
    );
    const scroll = table.closest<HTMLElement>('.scroll');
    if (scroll) makeScrollable(scroll, caption);
    if (!view) return;
    view.scroll.addEventListener('scroll', () => this.#draw(true), { passive: true });
    new ResizeObserver(() => this.#draw(true)).observe(view.scroll);
  }

  show(rows: readonly Row[]): void {
    this.#rows = rows;
    this.#draw(this.#isInUse());
  }

  /** While somebody points at a row or has the focus in one, all stay where they are. */
  #isInUse(): boolean {
    const { table } = this.#options;
    return table.matches(':hover') || table.tBodies[1]!.contains(document.activeElement);
  }

  #draw(isOrderKept: boolean): void {
    const { table, window: view } = this.#options;
    const rows = this.#ordering.sort(this.#rows, isOrderKept);
    const [from, to] = view ? visible(view.scroll, view.rowPx, rows.length) : [0, rows.length];
    table.ariaRowCount = String(rows.length + 1);
    this.#body.show(rows.slice(from, to));
    if (!view) return;
    setHeight(this.#above, from * view.rowPx);
    setHeight(this.#below, (rows.length - to) * view.rowPx);
    for (const [index, row] of [...table.tBodies[1]!.rows].entries())
      row.ariaRowIndex = String(from + index + 2);
  }
}

function visible({ scrollTop, clientHeight }: HTMLElement, rowPx: number, count: number): [number, number] {
  const first = Math.floor(scrollTop / rowPx) - SPARE_ROWS;
  const fitting = Math.ceil(clientHeight / rowPx) + 2 * SPARE_ROWS;
  const from = Math.max(0, Math.min(first, count - fitting));
  return [from, Math.min(count, from + fitting)];
}

function rowOf<Row>(columns: readonly Column<Row>[]): HTMLTableRowElement {
  const made = element('tr', '');
  for (const [index, { className = '' }] of columns.entries()) {
    const cell = element(index === 0 ? 'th' : 'td', className);
    if (index === 0) cell.scope = 'row';
    made.append(cell);
  }
  return made;
}

function showRow<Row>(made: HTMLTableRowElement, row: Row, columns: readonly Column<Row>[]): void {
  for (const [index, { show }] of columns.entries()) show(made.cells[index]!, row);
}

/** Stands for the rows that do not exist, so that the scroll bar tells the truth. */
function spacer(): HTMLTableSectionElement {
  const made = element('tbody', 'spacer');
  made.ariaHidden = 'true';
  made.append(element('tr', ''));
  return made;
}

function setHeight(section: HTMLTableSectionElement, px: number): void {
  const height = `${px}px`;
  const row = section.rows[0]!;
  if (row.style.height !== height) row.style.height = height;
}
