// The columns of a live table: what each shows of a row, and what rows are sorted by.

import { element } from '../../../player/page/dom.ts';
import { setData, setText } from '../parts/dom.ts';
import { percent, strain } from '../parts/format.ts';

export interface Column<Row> {
  readonly title: string;
  /** For styles: `number`, `name`, `wide` (not on phones). */
  readonly className?: string;
  /** Called each time for each row that is on the screen. */
  readonly show: (cell: HTMLElement, row: Row) => void;
  /** Without it nobody sorts by this column. Numbers begin with the largest, words with A. */
  readonly by?: (row: Row) => number | string;
}

/** A figure; `text` has its unit. */
export function figure<Row>(
  title: string,
  by: (row: Row) => number,
  text: (value: number, row: Row) => string,
  className = '',
): Column<Row> {
  return {
    title,
    className: `number ${className}`,
    by,
    show: (cell, row) => setText(cell, text(by(row), row)),
  };
}

export function words<Row>(title: string, by: (row: Row) => string, className = ''): Column<Row> {
  return { title, className, by, show: (cell, row) => setText(cell, by(row)) };
}

/** A name that leads to its page. It heads its row. */
export function named<Row>(title: string, by: (row: Row) => string, href: (row: Row) => string): Column<Row> {
  const show = (cell: HTMLElement, row: Row): void => {
    const link = (cell.firstElementChild as HTMLAnchorElement | null) ?? cell.appendChild(element('a', ''));
    const target = href(row);
    if (link.getAttribute('href') !== target) link.href = target;
    setText(link, by(row));
  };
  return { title, className: 'name', by, show };
}

/** A bar with what it stands for beside it. */
export function bar<Row>(
  title: string,
  shareOf: (row: Row) => number,
  text: (row: Row) => string,
  className = '',
): Column<Row> {
  const show = (cell: HTMLElement, row: Row): void => showBar(cell, shareOf(row), text(row));
  return { title, className: `number load ${className}`, by: shareOf, show };
}

/** The bar is for the eye alone: the text says what it shows. */
export function showBar(parent: HTMLElement, share: number, text = percent(share)): void {
  if (!parent.firstElementChild) {
    const track = element('span', 'bar-track');
    track.ariaHidden = 'true';
    track.append(element('span', 'bar-fill'));
    parent.append(track, element('span', 'bar-text'));
  }
  const fill = parent.querySelector<HTMLElement>('.bar-fill')!;
  const width = `scaleX(${Math.min(1, Math.max(0, share)).toFixed(3)})`;
  if (fill.style.transform !== width) fill.style.transform = width;
  setData(fill, 'strain', strain(share));
  setText(parent.querySelector('.bar-text')!, text);
}
