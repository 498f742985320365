// The picture of a stream, and the viewers' player in its place for who asks: an operator who only looks takes nobody's room.

import { browserClock } from '../../../player/clock.ts';
import { part } from '../../../player/page/dom.ts';
import { openPlayer } from '../../../player/page/open-player.ts';
import { runPanel } from '../../../player/page/screen/panel.ts';
import { askStream } from '../feed/ask.ts';

const PICTURE_MS = 10_000;

export function offerPicture(name: string): void {
  const image = part<HTMLImageElement>(document, 'thumbnail');
  image.addEventListener('load', () => {
    image.hidden = false;
  });
  image.addEventListener('error', () => {
    image.hidden = true;
  });
  showPicture(image, name);
  const timer = browserClock.every(PICTURE_MS, () => document.hidden || showPicture(image, name));
  part(document, 'watch').addEventListener('click', () => {
    timer.cancel();
    void watch(name);
  });
}

/** The address stays the same: it is fetched once for each picture. */
function showPicture(image: HTMLImageElement, name: string): void {
  const age = Math.floor(browserClock.now() / PICTURE_MS);
  image.src = `/api/console/streams/${encodeURIComponent(name)}/thumbnail?${age}`;
}

async function watch(name: string): Promise<void> {
  const token = await askStream(name).then(
    ({ playToken }) => playToken ?? null,
    () => null,
  );
  part(document, 'poster').hidden = true;
  part(document, 'theatre').hidden = false;
  const root = part(document, 'player');
  runPanel({ root, player: openPlayer(root, name, { token }), clock: browserClock });
  part<HTMLElement>(root, 'toggle').focus();
}
