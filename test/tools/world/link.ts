// A way between two sites, as packets meet it: delay, jitter, loss, reordering, a bandwidth, and no way at all.

export interface LinkShape {
  readonly delayMs?: number;
  /** Up to so much more, by chance, without changing the order. */
  readonly jitterMs?: number;
  /** 0 to 1. */
  readonly lossShare?: number;
  /** Packets that go before those that were sent ahead of them: they take no delay. */
  readonly reorderShare?: number;
  readonly kbps?: number;
  readonly isCut?: boolean;
}

/** What waits for a link that is full, at most, as in a router. */
const QUEUE_MS = 300;

export class Link {
  shape: LinkShape = {};
  readonly #chance: () => number;
  #lastMs = 0;
  #busyUntilMs = 0;

  constructor(chance: () => number) {
    this.#chance = chance;
  }

  /** When a packet that is sent now arrives; undefined when it is lost. */
  arrivalMs(bytes: number, nowMs: number): number | undefined {
    const { delayMs = 0, jitterMs = 0, lossShare = 0, reorderShare = 0, kbps, isCut } = this.shape;
    if (isCut || this.#chance() < lossShare) return undefined;
    const sentMs = kbps === undefined ? nowMs : this.#sentMs((bytes * 8) / kbps, nowMs);
    if (sentMs === undefined) return undefined;
    if (this.#chance() < reorderShare) return sentMs;
    this.#lastMs = Math.max(this.#lastMs, sentMs + delayMs + jitterMs * this.#chance());
    return this.#lastMs;
  }

  #sentMs(takesMs: number, nowMs: number): number | undefined {
    const beginMs = Math.max(nowMs, this.#busyUntilMs);
    if (beginMs - nowMs > QUEUE_MS) return undefined;
    this.#busyUntilMs = beginMs + takesMs;
    return this.#busyUntilMs;
  }
}
