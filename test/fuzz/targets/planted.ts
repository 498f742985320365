// Faults that are there on purpose: a fuzzer that does not find them finds nothing.

import type { Target } from '../target.ts';

/** Four bytes in order, which chance alone would take four thousand million inputs to hit. */
export const planted: Target = {
  name: 'planted',
  reads: 'four bytes',
  seeds: () => [Uint8Array.of(0, 0, 0, 0)],
  run(input) {
    if (input[0] === 0x48)
      if (input[1] === 0x77)
        if (input[2] === 0x21) if (input[3] === 0x0a) throw new TypeError('the fault that was planted');
  },
};

export const endless: Target = {
  name: 'endless',
  reads: 'one byte',
  seeds: () => [Uint8Array.of(0)],
  run(input) {
    while (input[0] === 0x48) {}
  },
};
