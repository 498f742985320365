// The list of streams on the front page.

import { browserClock } from '../clock.ts';
import type { StreamInfo } from '../usher.ts';
import { element, part } from './dom.ts';

/** How often pictures are made. */
const PICTURE_MS = 10_000;

/** Rewrites the list where it has changed; the focus stays on the stream that has it. */
export function showStreams(
  streams: readonly StreamInfo[],
  current: string | undefined,
  choose: (name: string) => void,
): void {
  part(document, 'count').textContent = String(streams.length);
  part(document, 'no-streams').hidden = streams.length > 0;
  const list = part(document, 'streams');
  const focused = list.contains(document.activeElement) ? (document.activeElement as HTMLElement) : undefined;
  const links = streams.map((stream) => link(stream, stream.name === current, choose));
  list.replaceChildren(...links.map(item));
  links.find((made) => made.dataset.name === focused?.dataset.name)?.focus();
}

function item(content: HTMLElement): HTMLLIElement {
  const made = element('li', '');
  made.append(content);
  return made;
}

function link(stream: StreamInfo, isCurrent: boolean, choose: (name: string) => void): HTMLAnchorElement {
  const made = element('a', '');
  made.href = `/?stream=${encodeURIComponent(stream.name)}`;
  made.dataset.name = stream.name;
  if (isCurrent) made.setAttribute('aria-current', 'true');
  made.append(
    element('span', stream.live ? 'dot' : 'dot away'),
    element('span', 'name', stream.name),
    element('span', 'viewers', stream.viewers === 1 ? '1 viewer' : `${stream.viewers} viewers`),
    element('span', 'what', describe(stream)),
  );
  if (stream.thumbnail) made.append(picture(stream.thumbnail));
  made.addEventListener('click', (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    choose(stream.name);
  });
  return made;
}

/** Says nothing that the name beside it does not. */
function picture(url: string): HTMLImageElement {
  const image = new Image();
  image.className = 'picture';
  image.alt = '';
  // The address stays the same: it is fetched once for each picture.
  image.src = `${url}?${Math.floor(browserClock.now() / PICTURE_MS)}`;
  return image;
}

function describe({ live, renditions }: StreamInfo): string {
  if (!live) return 'away, expected back';
  const [source] = renditions;
  if (!source) return 'starting';
  const picture = source.height ? `${source.height}p${Math.round(source.frameRate)}` : 'sound only';
  return `${picture} · ${(source.bitrateKbps / 1000).toFixed(1)} Mbps`;
}
