// The menu of renditions: `auto`, or one of them for as long as the viewer wants it.

import type { Levels } from '../../playback/levels.ts';
import type { Player } from '../../player.ts';
import { part } from '../dom.ts';

const AUTO = 'auto';

/** Until the signal is aborted. */
export function listenToQuality(root: HTMLElement, player: Player, signal: AbortSignal): void {
  const menu = part<HTMLSelectElement>(root, 'quality');
  const choose = (): void => player.choose(menu.value === AUTO ? undefined : Number(menu.value));
  menu.addEventListener('change', choose, { signal });
}

/** It is there where there is something to choose. A menu that is open is not touched while it says the same. */
export function showQuality(root: HTMLElement, { names, shown, wanted }: Levels): void {
  const menu = part<HTMLSelectElement>(root, 'quality');
  part(root, 'quality-field').hidden = names.length < 2;
  const playing = wanted === undefined && shown !== undefined ? ` (${names[shown]})` : '';
  const texts = [`Auto${playing}`, ...names];
  for (const [place, text] of texts.entries()) {
    const option = menu.options[place] ?? menu.appendChild(new Option());
    option.value = place === 0 ? AUTO : String(place - 1);
    if (option.text !== text) option.text = text;
  }
  while (menu.options.length > texts.length) menu.options[texts.length]!.remove();
  const value = wanted === undefined ? AUTO : String(wanted);
  if (menu.value !== value) menu.value = value;
}
