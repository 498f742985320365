// Writes into pages what changes each second, and touches nothing that stays the same.

const SVG = 'http://www.w3.org/2000/svg';

/** A text that stays the same is left alone: nothing is laid out again, and screen readers do not say it again. */
export function setText(target: Element, value: string): void {
  if (target.textContent !== value) target.textContent = value;
}

export function setData(target: HTMLElement | SVGElement, name: string, value: string): void {
  if (target.dataset[name] !== value) target.dataset[name] = value;
}

/** What may be wider or higher than its box is scrolled by keyboard too, and says what it is. */
export function makeScrollable(box: HTMLElement, label: string): void {
  box.tabIndex = 0;
  box.role = 'group';
  box.ariaLabel = label;
}

/** An element of SVG with these attributes. */
export function svgElement<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | number>> = {},
): SVGElementTagNameMap[K] {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}

/** Keeps one child for each item, in their order: made once, shown each time, removed when its item is gone. */
export class Keyed<Item, Child extends Element = HTMLElement> {
  readonly #parent: Element;
  readonly #keyOf: (item: Item) => string;
  readonly #make: (item: Item) => Child;
  readonly #show: (child: Child, item: Item) => void;
  readonly #leave: (child: Child) => void;
  readonly #children = new Map<string, Child>();

  /** `leave` takes a child away whose item is gone, at once or in its own time. */
  constructor(
    parent: Element,
    keyOf: (item: Item) => string,
    make: (item: Item) => Child,
    show: (child: Child, item: Item) => void,
    leave: (child: Child) => void = (child) => child.remove(),
  ) {
    this.#parent = parent;
    this.#keyOf = keyOf;
    this.#make = make;
    this.#show = show;
    this.#leave = leave;
  }

  show(items: readonly Item[]): void {
    const keys = new Set(items.map(this.#keyOf));
    for (const [key, child] of this.#children) if (!keys.has(key)) this.#drop(key, child);
    let last: Child | undefined;
    for (const item of items) {
      const child = this.#childOf(item);
      const next: Element | null = last ? last.nextElementSibling : this.#parent.firstElementChild;
      if (child !== next) this.#parent.insertBefore(child, next);
      this.#show(child, item);
      last = child;
    }
  }

  #childOf(item: Item): Child {
    const key = this.#keyOf(item);
    const known = this.#children.get(key);
    if (known) return known;
    const made = this.#make(item);
    this.#children.set(key, made);
    return made;
  }

  #drop(key: string, child: Child): void {
    this.#children.delete(key);
    this.#leave(child);
  }
}
