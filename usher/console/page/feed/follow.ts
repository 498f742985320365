// Draws the page whenever it has heard something, as often as the screen shows it, and says how the connection is.

import { browserClock } from '../../../player/clock.ts';
import { part } from '../../../player/page/dom.ts';
import type { ClusterEvent } from '../../messages.ts';
import { setData, setText } from '../parts/dom.ts';
import { listenToSignOut } from '../parts/sign-out.ts';
import { type Connection, type Heard, LiveFeed } from './live-feed.ts';

const WORDS: Readonly<Record<Connection, string>> = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'Connection lost, trying again',
};

export interface FollowOptions {
  readonly streams?: readonly string[];
  readonly show: (heard: Heard) => void;
  readonly happened?: (events: readonly ClusterEvent[]) => void;
}

/** For as long as the page is open. */
export function follow({ streams = [], show, happened = () => {} }: FollowOptions): void {
  listenToSignOut();
  const pill = part(document, 'connection');
  let latest: Heard | undefined;
  let isDue = false;
  const draw = (): void => {
    isDue = false;
    if (latest) show(latest);
  };
  new LiveFeed({
    clock: browserClock,
    streams,
    happened,
    heard: (heard) => {
      latest = heard;
      if (!isDue) requestAnimationFrame(draw);
      isDue = true;
    },
    changed: (connection) => {
      setData(pill, 'state', connection);
      setText(pill, WORDS[connection]);
      document.body.toggleAttribute('data-stale', connection === 'lost');
    },
  });
}
