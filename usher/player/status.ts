// What the player says of itself: on the screen, and to whoever looks at `window.headwater`.

import type { Levels } from './playback/levels.ts';
import type { Mode } from './playback/modes.ts';

export type PlayerState =
  /** Nobody has asked it to play. */
  | 'ready'
  | 'loading'
  | 'playing'
  /** Nothing to show for the moment although the stream is live. */
  | 'stalled'
  /** The broadcaster is away and expected back. */
  | 'away'
  /** There is no such stream; the player asks again until there is. */
  | 'offline'
  | 'paused'
  /** The browser wants a click before it plays. */
  | 'blocked'
  /** Usher does not answer: the network is gone, or usher; the player asks again until it does. */
  | 'unreachable'
  /** There is no room for one viewer more; the player asks again until there is. */
  | 'full'
  /** The stream is there, and not for this viewer. */
  | 'refused'
  /** This browser can't play it. */
  | 'unsupported';

export interface PlayerStatus {
  readonly stream: string;
  readonly mode: Mode;
  readonly state: PlayerState;
  /** Why, in words for the viewer; empty where the state says it all. */
  readonly detail: string;
  /** From arrival at the origin to the screen: the median of the last second, and the 95th percentile of the last 30. */
  readonly latencyMs: number | undefined;
  readonly latencyP95Ms: number | undefined;
  readonly bufferMs: number;
  /** Behind the live edge, by more than a player is by itself. */
  readonly isBehind: boolean;
  readonly stalls: number;
  readonly stalledMs: number;
  readonly framesShown: number;
  readonly epochChanges: number;
  readonly width: number;
  readonly height: number;
  readonly frameRate: number | undefined;
  readonly bitrateKbps: number | undefined;
  readonly playbackRate: number;
  readonly levels: Levels;
  readonly viewers: number | undefined;
  /** When the broadcast had begun, and when it was last seen to be live: ms since the Unix epoch. */
  readonly startedAtMs: number | undefined;
  readonly lastLiveAtMs: number | undefined;
  /** Address of a picture of it, of the last ten seconds or so. */
  readonly thumbnail: string | undefined;
  /** The newest MAX_ERRORS, newest last. */
  readonly errors: readonly string[];
}

export const MAX_ERRORS = 20;
