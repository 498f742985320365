// The cards of streams and recordings: a picture, what it is, and where it leads.

import { element, setText } from './dom.ts';

export interface Card {
  /** Stays the same while what the card is about is there. */
  readonly key: string;
  readonly href: string;
  readonly title: string;
  readonly about: string;
  /** Upon the picture: at its top, and at its bottom. */
  readonly label: string;
  readonly kind: 'live' | 'away' | 'past';
  readonly length: string;
  /** Undefined: there is none. */
  readonly picture: string | undefined;
  readonly isCurrent?: boolean;
}

/** Makes the list as it is to be. What stays is not made anew: the focus, and pictures, stay too. */
export function showCards(list: HTMLElement, cards: readonly Card[]): void {
  const old = new Map([...list.children].map((item) => [(item as HTMLElement).dataset['key'], item]));
  const items = cards.map((card) => {
    const item = (old.get(card.key) as HTMLElement | undefined) ?? emptyCard(card.key);
    fill(item, card);
    return item;
  });
  const isSame =
    items.length === list.children.length && items.every((item, at) => item === list.children[at]);
  if (isSame) return;
  const focused = document.activeElement;
  list.replaceChildren(...items);
  if (focused instanceof HTMLElement && list.contains(focused)) focused.focus();
}

function emptyCard(key: string): HTMLElement {
  const item = element('li', 'card');
  item.dataset['key'] = key;
  const link = element('a', '');
  const picture = element('span', 'card-picture');
  picture.append(element('span', 'card-label'), element('span', 'card-length'));
  link.append(picture, element('span', 'card-title'), element('span', 'card-about'));
  item.append(link);
  return item;
}

function fill(item: HTMLElement, card: Card): void {
  const link = item.querySelector('a')!;
  if (link.getAttribute('href') !== card.href) link.href = card.href;
  if (card.isCurrent) link.ariaCurrent = 'page';
  item.dataset['kind'] = card.kind;
  const texts = { label: card.label, length: card.length, title: card.title, about: card.about };
  for (const [name, text] of Object.entries(texts)) setText(item.querySelector(`.card-${name}`)!, text);
  showPicture(item.querySelector('.card-picture')!, card.picture);
}

/** The next picture takes the place of the one before once it is there; one that can't be had leaves what was. */
function showPicture(place: HTMLElement, url: string | undefined): void {
  if (url === undefined || place.dataset['wanted'] === url) return;
  place.dataset['wanted'] = url;
  const image = new Image();
  image.alt = '';
  image.addEventListener('load', () => {
    if (place.dataset['wanted'] !== url) return;
    place.querySelector('img')?.remove();
    place.prepend(image);
  });
  image.src = url;
}
