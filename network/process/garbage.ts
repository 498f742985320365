// How often V8 collects garbage. The door to its flags.

import { setFlagsFromString } from 'node:v8';

/** In per cent of what is left after a collection: at three times as much as that comes the next. */
const GROWTH = 200;

/**
 * V8 takes the bytes of buffers for growth of its heap, and gives back those of the past with all other garbage only: with its usual
 * growth, the bytes of one stream (4 Mbps) have it look through its whole heap every four seconds, which costs as much as taking in,
 * packaging and recording the stream. Memory is cheaper: some tens of MiB a process.
 */
export function collectSeldom(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH}`);
}
