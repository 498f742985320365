// Lets so much through in a second and no more, by key: a bucket of tokens each, in Mbps.

interface Bucket {
  levelMbps: number;
  atMs: number;
}

/** More keys than servers of a large cluster; past that all begin anew, which lets one viewer each through at once. */
const MAX_KEYS = 10_000;

export class Pacer {
  readonly #buckets = new Map<string, Bucket>();

  /**
   * Whether one that needs `mbps` may go now. The first may; what is not used is kept for a second. Times are of a monotonic
   * clock.
   */
  mayGo(key: string, mbps: number, mbpsPerS: number, nowMs: number): boolean {
    if (!(mbpsPerS > 0)) return false;
    if (this.#buckets.size >= MAX_KEYS) this.#buckets.clear();
    const bucket = this.#buckets.getOrInsertComputed(key, () => ({ levelMbps: mbps, atMs: nowMs }));
    const grownMbps = bucket.levelMbps + (mbpsPerS * (nowMs - bucket.atMs)) / 1000;
    bucket.levelMbps = Math.min(grownMbps, Math.max(mbps, mbpsPerS));
    bucket.atMs = nowMs;
    if (bucket.levelMbps < mbps) return false;
    bucket.levelMbps -= mbps;
    return true;
  }
}
