import { expect, test } from 'vitest';
import { Outflow } from '../../../network/egress/outflow.ts';
import { SimulatedClock } from '../../tools/world/simulated-clock.ts';

const EGRESS_MBPS = 50;
const LIMIT_BYTES_PER_S = (EGRESS_MBPS * 1e6) / 8;
const STEP_MS = 10;

/** Notes what is sent when. */
class Line {
  readonly clock = new SimulatedClock();
  readonly outflow = new Outflow({ egressMbps: EGRESS_MBPS, clock: this.clock });
  readonly #sent: { readonly atMs: number; readonly bytes: number }[] = [];

  live(bytes: number): void {
    this.outflow.spend(bytes);
    this.#note(bytes);
  }

  async fetch(bytes: number, pieceBytes: number): Promise<number> {
    const begunMs = this.clock.monotonic();
    const turn = this.outflow.begin();
    for (let left = bytes; left > 0; left -= pieceBytes) {
      await turn(Math.min(pieceBytes, left));
      this.#note(Math.min(pieceBytes, left));
    }
    return this.clock.monotonic() - begunMs;
  }

  async pass(ms: number, each: () => void = () => {}): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += STEP_MS) {
      each();
      await this.clock.pass(STEP_MS);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** The most that went out in any second. */
  get mostBytesPerS(): number {
    const sums = this.#sent.map(({ atMs }) =>
      this.#sent.reduce(
        (sum, each) => sum + (each.atMs >= atMs && each.atMs < atMs + 1_000 ? each.bytes : 0),
        0,
      ),
    );
    return Math.max(...sums);
  }

  #note(bytes: number): void {
    this.#sent.push({ atMs: this.clock.monotonic(), bytes });
  }
}

test('a crowd that begins at one instant gets its first segments within what the server may send in any second', async () => {
  const line = new Line();
  const crowd = Array.from({ length: 100 }, () => line.fetch(80_000, 64 * 1024));
  await line.pass(2_500, () => line.live(15_000));
  const waitedMs = await Promise.all(crowd);
  expect(line.mostBytesPerS).toBeLessThanOrEqual(LIMIT_BYTES_PER_S);
  expect(Math.max(...waitedMs)).toBeLessThanOrEqual(2_000 + STEP_MS);
});

test('without a crowd nobody waits', async () => {
  const line = new Line();
  const waits: unknown[] = [];
  await line.pass(2_000, () => {
    line.live(20_000);
    waits.push(line.outflow.begin()(20_000));
  });
  expect(new Set(waits)).toEqual(new Set([undefined]));
});

test('who was let in to a server that sends all it may begins after two seconds', async () => {
  const line = new Line();
  await line.pass(500, () => line.live(80_000));
  const late = line.fetch(200_000, 64 * 1024);
  await line.pass(2_500, () => line.live(80_000));
  expect(await late).toBeLessThanOrEqual(2_000 + STEP_MS);
});
