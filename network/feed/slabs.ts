// Memory of a feed: chunks are laid side by side in large slabs, so that a run of chunks is one view without copying.

/** Half a second of a 4 Mbps stream. A slab lives as long as a view of it does. */
const SLAB_BYTES = 256 * 1024;

export class Slabs {
  #slab = new Uint8Array(0);
  #used = 0;

  /** Room for so many bytes behind what was stored last, in a new slab when they do not fit: the same until something is stored. */
  reserve(length: number): Uint8Array {
    if (this.#used + length > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, length));
      this.#used = 0;
    }
    return this.#slab.subarray(this.#used, this.#used + length);
  }

  /** Copies `bytes` behind what was stored last, unless they were written there, and returns the view of them. */
  store(bytes: Uint8Array): Uint8Array {
    const isHere =
      bytes.buffer === this.#slab.buffer && bytes.byteOffset === this.#slab.byteOffset + this.#used;
    const view = isHere ? bytes : this.reserve(bytes.length);
    if (!isHere) view.set(bytes);
    this.#used += bytes.length;
    return view;
  }
}

/** The same bytes in as few views as they lie in memory: neighbours in one slab become one view. */
export function joinNeighbours(views: Iterable<Uint8Array>): Uint8Array[] {
  const joined: Uint8Array[] = [];
  let last: Uint8Array | undefined;
  for (const view of views) {
    if (last && last.buffer === view.buffer && last.byteOffset + last.length === view.byteOffset) {
      last = new Uint8Array(last.buffer, last.byteOffset, last.length + view.length);
      joined[joined.length - 1] = last;
    } else {
      joined.push(view);
      last = view;
    }
  }
  return joined;
}
