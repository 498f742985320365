// Reads bit fields and Exp-Golomb codes from bytes; never past their end. Pure.

import { CodedError } from '../../../network/errors.ts';

export class BitReader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next `count` bits, at most 32, as an unsigned number. */
  bits(count: number): number {
    let value = 0;
    for (let index = 0; index < count; index++) value = value * 2 + this.#bit();
    return value;
  }

  flag(): boolean {
    return this.#bit() === 1;
  }

  skip(count: number): void {
    this.#position += count;
  }

  /** ue(v) of ISO/IEC 14496-10 9.1, and uvlc() of AV1 4.10.3: the same code. */
  unsigned(): number {
    let zeros = 0;
    while (!this.flag()) {
      if (++zeros > 31) throw new CodedError('bad_config', 'an Exp-Golomb code of more than 32 bits');
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** se(v) of ISO/IEC 14496-10 9.1.1. */
  signed(): number {
    const code = this.unsigned();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  }

  #bit(): number {
    const byte = this.#bytes[this.#position >> 3];
    if (byte === undefined) {
      throw new CodedError('bad_config', `a codec header of ${this.#bytes.length} bytes is cut short`);
    }
    return (byte >> (7 - (this.#position++ & 7))) & 1;
  }
}
