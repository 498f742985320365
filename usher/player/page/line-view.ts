// Shows lines to copy, each with a button that does it.

import { browserClock } from '../clock.ts';
import { element } from './dom.ts';
import type { Line, LineName } from './lines.ts';

const DONE_MS = 1500;

/** Those that the page has a place for. */
export function showLines(lines: Partial<Record<LineName, Line>>): void {
  for (const [name, line] of Object.entries(lines)) {
    const place = document.querySelector(`[data-line="${name}"]`);
    if (!place) continue;
    const code = element('code', '');
    code.append(...(line.isLink ? [anchor(line.text)] : words(line.text)));
    place.replaceChildren(code, copyButton(line.text, code));
  }
}

/** Lines of a command are broken between its words only: a break after a hyphen would be read as a space. */
function words(text: string): Node[] {
  return text.split(' ').flatMap((word, index) => {
    const made = element('span', 'word', word);
    return index === 0 ? [made] : [document.createTextNode(' '), made];
  });
}

function anchor(href: string): HTMLAnchorElement {
  const made = element('a', '', href);
  made.href = href;
  return made;
}

function copyButton(text: string, code: HTMLElement): HTMLButtonElement {
  const button = element('button', 'copy', 'Copy');
  button.type = 'button';
  button.addEventListener('click', async () => {
    await copy(text, code);
    button.textContent = 'Copied';
    button.classList.add('done');
    browserClock.after(DONE_MS, () => {
      button.textContent = 'Copy';
      button.classList.remove('done');
    });
  });
  return button;
}

/** Browsers give the clipboard to secure pages only; elsewhere the old way still works, through the selection. */
async function copy(text: string, code: HTMLElement): Promise<void> {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  getSelection()?.selectAllChildren(code);
  document.execCommand('copy');
}
