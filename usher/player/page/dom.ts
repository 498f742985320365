// Finds the elements that the pages mark with `data-` attributes.

/** The element marked `data-<name>` below `root`. The pages are ours: one that is missing is a mistake. */
export function part<T extends Element = HTMLElement>(root: ParentNode, name: string): T {
  const found = root.querySelector<T>(`[data-${name}]`);
  if (!found) throw new Error(`the page has no element marked data-${name}`);
  return found;
}

/** An element with a class and a text; what comes from outside gets into a page as text only. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  text = '',
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/** A text that stays the same is left alone, so that screen readers do not say it again. */
export function setText(target: Element, value: string): void {
  if (target.textContent !== value) target.textContent = value;
}
