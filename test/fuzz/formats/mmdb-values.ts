// Changes of a MaxMind DB (format 2.0) that leave its sections where they are.

import type { Dice } from '../../../usher/simulator/dice.ts';
import { pointerTo } from '../../tools/world/mmdb-file.ts';
import { EDGES, type FormatChange, repeatedly } from '../mutate.ts';

export const changeMmdb: FormatChange = (input, times, dice) =>
  repeatedly(input, times, (bytes) => dice.pick(CHANGES)(bytes, dice));

const CHANGES: readonly ((input: Uint8Array, dice: Dice) => Uint8Array)[] = [
  (input, dice) => overwritten(input, dice.upTo(input.length), anyValue(dice)),
  (input, dice) => overwritten(input, dice.upTo(input.length), pointerTo(dice.upTo(256))),
  (input, dice) => overwritten(input, dice.upTo(input.length), Uint8Array.of(dice.pick(EDGES))),
  (input, dice) => {
    const key = dice.pick(KEYS);
    const at = Buffer.from(input.buffer, input.byteOffset, input.length).lastIndexOf(key) + key.length;
    return overwritten(input, at, uint32(dice.upTo(4) === 0 ? dice.pick(EDGES) : dice.pick(SIZES)));
  },
];

/** What the tree is read by. */
const KEYS = ['node_count', 'record_size', 'ip_version'];
const SIZES = [0, 1, 2, 4, 6, 24, 28, 32, 160];

/** The beginning of a value of any type, the extended ones too ("Data Field Format"). */
function anyValue(dice: Dice): Uint8Array {
  const type = dice.upTo(16);
  const size = dice.upTo(6) === 0 ? 29 + dice.upTo(3) : dice.upTo(17);
  return type > 7 ? Uint8Array.of(size, type - 7) : Uint8Array.of((type << 5) | size);
}

function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(5);
  bytes[0] = 0xc4;
  bytes.writeUInt32BE(value, 1);
  return bytes;
}

function overwritten(input: Uint8Array, at: number, bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(input);
  copy.set(bytes.subarray(0, Math.max(0, copy.length - at)), Math.min(at, copy.length));
  return copy;
}
