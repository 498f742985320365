// The page that other sites frame: the player alone. `autoplay=0`, `muted=0` and `mode=` in its address say how it begins.

import { browserClock } from '../clock.ts';
import { part } from './dom.ts';
import { openPlayer } from './open-player.ts';
import { runPanel } from './screen/panel.ts';

const query = new URLSearchParams(location.search);
const isSaid = (name: string): boolean | undefined => {
  const value = query.get(name);
  return value === null ? undefined : value !== '0' && value !== 'false';
};

const root = part(document, 'player');
const player = openPlayer(root, document.body.dataset.stream!, {
  autoplay: isSaid('autoplay') ?? true,
  isMuted: isSaid('muted'),
});
runPanel({ root, player, clock: browserClock });
