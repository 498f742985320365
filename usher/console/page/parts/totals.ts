// The row of figures at the head of a page.

import { element } from '../../../player/page/dom.ts';
import { Keyed, setData, setText } from './dom.ts';

export interface Total {
  readonly title: string;
  readonly value: string;
  readonly note?: string;
  readonly strain?: 'calm' | 'busy' | 'full';
}

export class Totals {
  readonly #tiles: Keyed<Total>;

  constructor(list: HTMLElement) {
    this.#tiles = new Keyed(list, ({ title }) => title, tileOf, showTile);
  }

  show(totals: readonly Total[]): void {
    this.#tiles.show(totals);
  }
}

function tileOf({ title }: Total): HTMLElement {
  const tile = element('div', 'total');
  const value = element('dd', '');
  value.append(element('b', ''), element('span', 'note'));
  tile.append(element('dt', '', title), value);
  return tile;
}

function showTile(tile: HTMLElement, { value, note = '', strain = 'calm' }: Total): void {
  setData(tile, 'strain', strain);
  setText(tile.querySelector('b')!, value);
  setText(tile.querySelector('.note')!, note);
}
