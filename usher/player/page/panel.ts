// What surrounds the picture: numbers, the trace of latency, and the veil that says why there is no picture.

import type { Clock } from '../../../network/clock.ts';
import type { Player } from '../player.ts';
import type { PlayerState, PlayerStatus } from '../status.ts';
import { listenToControls } from './controls.ts';
import { part } from './dom.ts';
import { showQuality } from './quality-menu.ts';

declare global {
  interface Window {
    /** The player's own numbers, for whoever looks from outside. */
    headwater: PlayerStatus | undefined;
  }
}

const REFRESH_MS = 250;
/** 30 s of latency, as the trace shows it: its width is one unit for each. */
const TRACE_POINTS = 120;
const TRACE_HEIGHT = 40;
/** The trace's scale has this much room above the highest point. */
const HEADROOM = 1.25;

const VEILS: Readonly<Record<PlayerState, readonly [title: string, detail: string]>> = {
  loading: ['Loading', ''],
  playing: ['', ''],
  stalled: ['Waiting for the network', ''],
  away: ['The broadcaster is away', 'The stream goes on as soon as they are back.'],
  offline: ['Offline, waiting', 'It starts by itself when the stream is live.'],
  paused: ['Paused', ''],
  blocked: ['Ready', 'Your browser wants a click before it plays.'],
  refused: ['Not for you', ''],
  unsupported: ['Not in this browser', ''],
};

export interface PanelOptions {
  readonly root: HTMLElement;
  readonly player: Player;
  readonly clock: Clock;
}

/** Runs until the returned function is called. */
export function runPanel(options: PanelOptions): () => void {
  const stop = new AbortController();
  listenToControls(options.root, options.player, stop.signal);
  const trace: (number | undefined)[] = [];
  const refresh = (): void => {
    const { status } = options.player;
    window.headwater = status;
    trace.push(status.latencyMs);
    if (trace.length > TRACE_POINTS) trace.shift();
    show(options.root, status, trace);
  };
  refresh();
  const timer = options.clock.every(REFRESH_MS, refresh);
  return () => {
    stop.abort();
    timer.cancel();
  };
}

function show(root: HTMLElement, status: PlayerStatus, trace: readonly (number | undefined)[]): void {
  const [title, detail] = VEILS[status.state];
  root.dataset.state = status.state;
  root.toggleAttribute('data-muted', part<HTMLVideoElement>(root, 'video').muted);
  setText(part(root, 'veil-title'), title);
  setText(part(root, 'veil-detail'), status.detail || detail);
  setText(part(root, 'badge'), status.state === 'playing' ? 'Live' : 'Not live');
  showQuality(root, status.levels);
  part(root, 'toggle').ariaLabel = status.state === 'paused' ? 'Play' : 'Pause';
  for (const [name, text] of Object.entries(numbers(status))) setText(part(root, `number="${name}"`), text);
  part<SVGPolylineElement>(root, 'trace').setAttribute('points', tracePoints(trace));
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

/** A text that stays the same is left alone, so that screen readers do not say it again. */
function setText(target: Element, value: string): void {
  if (target.textContent !== value) target.textContent = value;
}
