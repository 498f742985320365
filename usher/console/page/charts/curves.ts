// The last hour as curves. The door to uPlot.

import type UPlot from 'uplot';
import { browserClock } from '../../../player/clock.ts';
import { element } from '../../../player/page/dom.ts';
import type { Curves } from '../../messages.ts';
import { askHistory } from '../feed/ask.ts';
import { setText } from '../parts/dom.ts';
import { counted, dollars, percent, rate, timeOfDay } from '../parts/format.ts';

declare const uPlot: typeof UPlot;

interface CurveSpec {
  readonly title: string;
  readonly valuesOf: (curves: Curves) => readonly (number | null)[];
  readonly text: (value: number) => string;
  /** The scale goes up to this at least, so that nothing much looks like nothing much. */
  readonly least: number;
  /** Whether it comes in whole numbers. */
  readonly isWhole?: true;
  /** Name of a colour of the styles. */
  readonly colour: string;
}

const CURVES: readonly CurveSpec[] = [
  {
    title: 'Viewers',
    valuesOf: ({ viewers }) => viewers,
    text: counted,
    least: 4,
    isWhole: true,
    colour: '--curve-1',
  },
  { title: 'Sent', valuesOf: ({ sentMbps }) => sentMbps, text: rate, least: 1, colour: '--curve-2' },
  { title: 'Cost an hour', valuesOf: costsOf, text: dollars, least: 50_000, colour: '--curve-3' },
  {
    title: 'Stalled',
    valuesOf: ({ stallRatio }) => stallRatio,
    text: stalledText,
    least: 0.01,
    colour: '--curve-4',
  },
];
const REFRESH_MS = 10_000;
const HEIGHT_PX = 150;
const HOUR_S = 3_600;
/** Steps of scales that count. */
const WHOLE = [1, 2, 5]
  .flatMap((digit) => Array.from({ length: 8 }, (_, power) => digit * 10 ** power))
  .sort((one, other) => one - other);
const AXIS_PX = 66;
const FONT = '11px system-ui, sans-serif';

/** Fills a box with the curves of `streams/<name>`, `servers/<id>` or `sites/<name>`, and keeps them as they are at usher. */
export function keepCurves(box: HTMLElement, whose: string): void {
  const charts = CURVES.map((spec) => new Chart(box, spec));
  const refresh = async (): Promise<void> => {
    try {
      const curves = await askHistory(whose);
      for (const chart of charts) chart.show(curves);
    } catch {
      // What was shown last stays until usher answers again.
    }
  };
  void refresh();
  browserClock.every(REFRESH_MS, () => document.hidden || void refresh());
}

class Chart {
  readonly #spec: CurveSpec;
  readonly #box: HTMLElement;
  readonly #now = element('b', 'curve-now');
  readonly #summary = element('span', 'curve-summary');
  #plot: UPlot | undefined;
  #data: UPlot.AlignedData = [[], []];

  constructor(parent: HTMLElement, spec: CurveSpec) {
    this.#spec = spec;
    const figure = element('figure', 'curve');
    const caption = element('figcaption', '');
    caption.append(element('span', 'curve-title', spec.title), this.#now, this.#summary);
    this.#box = element('div', 'curve-box');
    this.#box.ariaHidden = 'true';
    figure.append(caption, this.#box);
    parent.append(figure);
    new ResizeObserver(() => this.#resize()).observe(this.#box);
    matchMedia('(prefers-color-scheme: light)').addEventListener('change', () => this.#draw());
  }

  show(curves: Curves): void {
    const { stepMs, endMs } = curves;
    const values = [...this.#spec.valuesOf(curves)];
    const times = values.map((_, index) => (endMs - (values.length - 1 - index) * stepMs) / 1_000);
    this.#data = [times, values];
    this.#say(values, times);
    if (this.#plot) this.#plot.setData(this.#data);
    else this.#draw();
  }

  /** What the curve shows, for those who don't see it, and for all at one glance. */
  #say(values: readonly (number | null)[], times: readonly number[]): void {
    const { text } = this.#spec;
    const known = values.flatMap((value, index) =>
      value === null ? [] : [{ value, atMs: times[index]! * 1_000 }],
    );
    const most = known.reduce((one, other) => (other.value > one.value ? other : one), known[0] ?? NOTHING);
    setText(this.#now, known.length === 0 ? 'not known' : text(known.at(-1)!.value));
    setText(
      this.#summary,
      known.length === 0 ? '' : `peak ${text(most.value)} at ${timeOfDay(most.atMs).slice(0, 5)}`,
    );
  }

  #resize(): void {
    const width = this.#box.clientWidth;
    if (this.#plot && width > 0) this.#plot.setSize({ width, height: HEIGHT_PX });
  }

  #draw(): void {
    this.#plot?.destroy();
    const { text, colour, least, isWhole } = this.#spec;
    const look = getComputedStyle(document.body);
    const [line, quiet, stroke] = ['--line', '--quiet', colour].map((name) =>
      look.getPropertyValue(name).trim(),
    );
    const axis = { stroke: quiet!, font: FONT, grid: { stroke: line!, width: 1 }, ticks: { show: false } };
    this.#plot = new uPlot(
      {
        width: this.#box.clientWidth,
        height: HEIGHT_PX,
        legend: { show: false },
        cursor: { sync: { key: 'hour' }, y: false },
        scales: {
          x: { range: (_, __, lastS) => [lastS - HOUR_S, lastS] },
          y: { range: (_, __, most) => [0, Math.max(least, most * 1.1)] },
        },
        axes: [
          {
            ...axis,
            size: 24,
            space: 70,
            values: (_, splits) => splits.map((s) => timeOfDay(s * 1_000).slice(0, 5)),
          },
          {
            ...axis,
            size: AXIS_PX,
            space: 34,
            values: (_, splits) => splits.map(text),
            ...(isWhole ? { incrs: WHOLE } : {}),
          },
        ],
        series: [{}, { stroke: stroke!, fill: `${stroke}22`, width: 1.75, points: { show: false } }],
      },
      this.#data,
      this.#box,
    );
  }
}

const NOTHING = { value: 0, atMs: 0 };

function costsOf({ transitMicroUsd, linksMicroUsd, cdnMicroUsd }: Curves): (number | null)[] {
  return transitMicroUsd.map((transit, index) =>
    transit === null ? null : transit + (linksMicroUsd[index] ?? 0) + (cdnMicroUsd[index] ?? 0),
  );
}

function stalledText(ratio: number): string {
  return ratio === 0 ? '0 %' : ratio < 0.01 ? `${(ratio * 100).toFixed(2)} %` : percent(ratio);
}
