// What every way to play (progressive, hls.js, the browser's own HLS) offers to the player, and asks from it.

import type { Clock } from '../../../network/clock.ts';
import type { Chance } from '../clock.ts';
import type { Levels } from './levels.ts';

export interface Playback {
  /** When the origin had received what is shown at a media time: ms since the Unix epoch, by the servers' clock. */
  arrivedAtMs(mediaTimeS: number): number | undefined;
  /** Bits per second of media as they come, in kbps; undefined while unknown. */
  readonly bitrateKbps: number | undefined;
  /** Where media comes from; undefined before it does, and where the browser keeps that to itself. */
  readonly mediaUrl: string | undefined;
  /** From a request for media that is there to its first byte, of late; undefined while unknown. */
  readonly roundTripMs: number | undefined;
  /** Changes of initialization that were played through. */
  readonly epochChanges: number;
  readonly levels: Levels;
  /** Goes to a level of `levels` and stays there; undefined: changes as the network allows. */
  choose(level: number | undefined): void;
  /** Stays behind the live edge, where the viewer has gone, until it is to catch up. */
  hold(): void;
  /** Goes to the live edge when it has fallen behind: in a hidden tab nothing chases it. */
  catchUp(): void;
  /** Releases the video, connections and timers. Nothing is called back afterwards. */
  close(): void;
}

export interface PlaybackOptions {
  readonly video: HTMLVideoElement;
  readonly urls: StreamUrls;
  readonly clock: Clock;
  readonly chance: Chance;
  /** A fault that the playback gets over by itself. */
  readonly onTrouble: (error: Error) => void;
  /** The playback can't go on and has to be closed; called once at most. */
  readonly onEnd: (ending: Ending) => void;
}

export type Ending =
  /** There is no such stream now. */
  | { readonly kind: 'offline' }
  /** The stream is there, and not for this viewer. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** There is no room for one viewer more at the moment. */
  | { readonly kind: 'full' }
  /** The browser has no decoder for it. */
  | { readonly kind: 'unsupported'; readonly reason: string }
  /** Something else broke: worth another try from the beginning. */
  | { readonly kind: 'failed'; readonly error: Error };

/** Where usher offers one stream to one viewer. */
export interface StreamUrls {
  readonly playlist: string;
  /** From a sequence number on, or from the newest key frame. */
  progressive(from: number | undefined): string;
  readonly info: string;
}

export function streamUrls(origin: string, name: string, token: string | null): StreamUrls {
  const url = (path: string, query: Record<string, string>): string => {
    const target = new URL(path, origin);
    target.search = new URLSearchParams({ ...query, ...(token ? { token } : {}) }).toString();
    return target.href;
  };
  return {
    playlist: url(`/live/${name}.m3u8`, {}),
    progressive: (from) => url(`/live/${name}.mp4`, from === undefined ? {} : { from: String(from) }),
    info: url(`/api/streams/${name}`, {}),
  };
}
