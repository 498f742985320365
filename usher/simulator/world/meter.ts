// A thing with a capacity that traffic goes through: a server's card, a host's, an uplink, a link. Pure.

export type MeterKind = 'server' | 'host' | 'uplink' | 'link';

export interface Troubles {
  readonly overMs: number;
  /** Highest utilisation. */
  readonly worst: number;
  /** What should have gone through, and could not. */
  readonly lostKbit: number;
}

/** Loads are whole kbps, so that what was added and taken away again leaves nothing behind. */
export class Meter {
  readonly kind: MeterKind;
  readonly name: string;
  capacityKbps: number;
  /** What should go through now, also where that is more than can. */
  loadKbps = 0;
  /** What went through: kilobits since the beginning, up to #atMs. */
  #carriedKbit = 0;
  #lostKbit = 0;
  #overMs = 0;
  #worst = 0;
  #atMs = 0;

  constructor(kind: MeterKind, name: string, capacityMbps: number) {
    this.kind = kind;
    this.name = name;
    this.capacityKbps = Math.round(capacityMbps * 1000);
  }

  add(kbps: number, nowMs: number): void {
    this.#settle(nowMs);
    this.loadKbps += kbps;
    if (this.loadKbps > this.#worst * this.capacityKbps) this.#worst = this.loadKbps / this.capacityKbps;
  }

  resize(capacityMbps: number, nowMs: number): void {
    this.#settle(nowMs);
    this.capacityKbps = Math.round(capacityMbps * 1000);
    this.#worst = Math.max(this.#worst, this.utilisation);
  }

  hasRoom(kbps: number): boolean {
    return this.loadKbps + kbps <= this.capacityKbps;
  }

  /** 1 when full, more when over. */
  get utilisation(): number {
    return this.loadKbps / this.capacityKbps;
  }

  get isOver(): boolean {
    return this.loadKbps > this.capacityKbps;
  }

  carriedKbit(nowMs: number): number {
    this.#settle(nowMs);
    return this.#carriedKbit;
  }

  /** Since `forget`. */
  troubles(nowMs: number): Troubles {
    this.#settle(nowMs);
    return { overMs: this.#overMs, worst: this.#worst, lostKbit: this.#lostKbit };
  }

  forget(nowMs: number): void {
    this.#settle(nowMs);
    this.#overMs = 0;
    this.#lostKbit = 0;
    this.#worst = this.utilisation;
  }

  #settle(nowMs: number): void {
    const elapsedMs = nowMs - this.#atMs;
    if (elapsedMs === 0) return;
    this.#atMs = nowMs;
    this.#carriedKbit += (Math.min(this.loadKbps, this.capacityKbps) * elapsedMs) / 1000;
    if (!this.isOver) return;
    this.#overMs += elapsedMs;
    this.#lostKbit += ((this.loadKbps - this.capacityKbps) * elapsedMs) / 1000;
  }
}
