// The page of one stream.

import { browserClock } from '../clock.ts';
import { part } from './dom.ts';
import { openPlayer } from './open-player.ts';
import { runPanel } from './panel.ts';
import { keepRecordings } from './recordings.ts';

const root = part(document, 'player');
const player = openPlayer(root, document.body.dataset.stream!);
runPanel({ root, player, clock: browserClock });
keepRecordings(document.body.dataset.stream!, browserClock);
