// Where a feed's numbering and timeline stand: what its next epoch goes on from, at whichever server. Pure.

export interface Numbering {
  /** Of the next chunk; a feed's first has 1. */
  readonly sequence: number;
  /** Media sequence number of the next segment. */
  readonly msn: number;
  /** The last epoch used; 0 before the first. */
  readonly epoch: number;
  /** Of the next epoch's first segment; 0 for the first epoch. */
  readonly discontinuitySequence: number;
  /** Seconds; 0 until the first segment has closed. */
  readonly targetDurationS: number;
  /** End of the media so far on the timeline that all epochs share, in ticks of 90 kHz. */
  readonly endTicks: number;
  /** The tracks that the feed has, once it has any: players do not survive a change of them. */
  readonly tracks?: 'audio' | 'audio+video';
}

export const FIRST_NUMBERING: Numbering = {
  sequence: 1,
  msn: 0,
  epoch: 0,
  discontinuitySequence: 0,
  targetDurationS: 0,
  endTicks: 0,
};
