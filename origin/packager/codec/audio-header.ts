// What the header of an audio codec says, whichever codec it is. Types only.

import type { BoxValue } from '../../../network/media/write-boxes.ts';

/** A frame in which nothing is heard, to bridge what a broadcaster did not send. */
export interface SilentFrame {
  readonly data: Uint8Array;
  readonly samples: number;
}

/** What a codec's own header says. */
export interface AudioHeader {
  /** Hz: the rate in which frames are counted, for HE-AAC that of the core. */
  readonly sampleRate: number;
  readonly channels: number;
  /** The codec's own box in the sample entry. */
  readonly configBox: BoxValue;
  /** Samples that a coded frame decodes to; 0 for bytes that are no frame. */
  readonly samplesIn: (frame: Uint8Array) => number;
  readonly silence: SilentFrame | undefined;
}
