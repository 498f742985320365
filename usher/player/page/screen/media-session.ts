// What the system says of the stream on its lock screen and for its media keys.

import type { Player } from '../../player.ts';
import type { PlayerStatus } from '../../status.ts';

/** Until the signal is aborted. */
export function joinMediaSession(player: Player, signal: AbortSignal): void {
  const session = navigator.mediaSession;
  if (!session) return;
  const handlers = { play: () => player.play(), pause: () => player.pause(), stop: () => player.pause() };
  const actions = Object.entries(handlers) as [keyof typeof handlers, () => void][];
  for (const [action, handler] of actions) session.setActionHandler(action, handler);
  signal.addEventListener('abort', () => {
    for (const [action] of actions) session.setActionHandler(action, null);
    session.metadata = null;
  });
}

/** Told again only when something has changed: the system fetches the picture each time. */
export function showInMediaSession({ stream, state, thumbnail }: PlayerStatus): void {
  const session = navigator.mediaSession;
  if (!session) return;
  session.playbackState = state === 'playing' ? 'playing' : 'paused';
  const { metadata } = session;
  if (metadata?.title === stream && (metadata.artwork.length > 0 || !thumbnail)) return;
  const artwork = thumbnail ? [{ src: thumbnail, type: 'image/jpeg' }] : [];
  session.metadata = new MediaMetadata({ title: stream, artist: `Live on ${location.host}`, artwork });
}
