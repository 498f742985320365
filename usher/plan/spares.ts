// Since when renditions have had a copy too many: what planning remembers from one turn to the next. Pure.

export class Spares {
  #before: ReadonlyMap<string, number> = new Map();
  #sinceMs = new Map<string, number>();

  /** A turn begins: what it does not ask for is forgotten with it. */
  begin(): void {
    this.#before = this.#sinceMs;
    this.#sinceMs = new Map();
  }

  /** Whether a copy goes now. For the next one time begins anew. */
  isDue(rendition: string, nowMs: number, lingerMs: number): boolean {
    const sinceMs = this.#before.get(rendition) ?? nowMs;
    const isDue = nowMs - sinceMs >= lingerMs;
    this.#sinceMs.set(rendition, isDue ? nowMs : sinceMs);
    return isDue;
  }
}
