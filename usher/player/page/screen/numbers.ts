// The deck below the picture: latency, its trace, and the numbers of who wants to know more.

import type { PlayerStatus } from '../../status.ts';
import { part, setText } from '../dom.ts';

/** 30 s of latency, as the trace shows it: its width is one unit for each. */
const TRACE_POINTS = 120;
const TRACE_HEIGHT = 40;
/** The trace's scale has this much room above the highest point. */
const HEADROOM = 1.25;

export class Numbers {
  readonly #root: HTMLElement;
  readonly #trace: (number | undefined)[] = [];

  constructor(root: HTMLElement) {
    this.#root = root;
  }

  show(status: PlayerStatus): void {
    this.#trace.push(status.latencyMs);
    if (this.#trace.length > TRACE_POINTS) this.#trace.shift();
    for (const [name, text] of Object.entries(numbers(status)))
      setText(part(this.#root, `number="${name}"`), text);
    part<SVGPolylineElement>(this.#root, 'trace').setAttribute('points', tracePoints(this.#trace));
  }
}

function numbers(status: PlayerStatus): Readonly<Record<string, string>> {
  const { width, height, frameRate, bitrateKbps } = status;
  const rate = frameRate ? `${Math.round(frameRate)}` : '';
  return {
    latencyMs: text(status.latencyMs),
    latencyP95Ms: text(status.latencyP95Ms),
    bufferMs: text(status.bufferMs),
    stalls: text(status.stalls),
    picture: height
      ? `${width} × ${height}${rate && ` · ${rate} fps`}`
      : status.framesShown
        ? 'sound only'
        : '–',
    bitrate: bitrateKbps === undefined ? '–' : `${(bitrateKbps / 1000).toFixed(1)} Mbps`,
    viewers: text(status.viewers),
  };
}

function text(value: number | undefined): string {
  return value === undefined ? '–' : value.toLocaleString('en').replaceAll(',', ' ');
}

function tracePoints(trace: readonly (number | undefined)[]): string {
  const top = Math.max(...trace.map((value) => value ?? 0), 1) * HEADROOM;
  const left = TRACE_POINTS - trace.length;
  const points = trace.map((value, index) =>
    value === undefined ? '' : `${left + index},${(TRACE_HEIGHT * (1 - value / top)).toFixed(1)}`,
  );
  return points.join(' ').trim();
}
