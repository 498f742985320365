// The curves: one plot for each figure, one line for each policy that is shown.

import type uPlot from 'uplot';
import { type CurveName, type PageData, timeOf } from './data.ts';

interface PlotSpec {
  readonly curve: CurveName;
  readonly title: string;
  readonly unit: (value: number) => string;
}

const PLOTS: readonly PlotSpec[] = [
  { curve: 'ownViewers', title: 'viewers on the own network', unit: counted },
  { curve: 'cdnViewers', title: 'viewers on a CDN', unit: counted },
  { curve: 'refused', title: 'viewers refused so far', unit: counted },
  { curve: 'worstServer', title: 'fullest server', unit: percent },
  { curve: 'worstUplink', title: 'fullest uplink', unit: percent },
  { curve: 'worstLink', title: 'fullest link between sites', unit: percent },
  { curve: 'copies', title: 'copies beside the origins', unit: counted },
  { curve: 'cost', title: 'cost so far', unit: dollars },
];

/** Ours are warm and thick, the others cool and thin. */
const COLOURS = [
  '#e8590c',
  '#f08c00',
  '#c2255c',
  '#1c7ed6',
  '#15aabf',
  '#0ca678',
  '#74b816',
  '#7048e8',
  '#868e96',
  '#495057',
  '#9c36b5',
  '#2b8a3e',
];
const SIZE = { width: 560, height: 240 };

export function colourOf(index: number): string {
  return COLOURS[index % COLOURS.length]!;
}

/** Hours and minutes; of less than two hours minutes and seconds. */
function shortTime(second: number, length: number): string {
  return length < 7_200 ? timeOf(second).slice(3) : timeOf(second).slice(0, 5);
}

export class CurvePlots {
  readonly #plots: uPlot[];
  readonly #count: number;

  constructor(parent: HTMLElement, { policies, minutes }: PageData, UPlot: typeof uPlot) {
    const length = minutes * 60;
    this.#count = policies.length;
    // The first is drawn last, over the others.
    const drawn = policies.map((policy, index) => ({ ...policy, index })).reverse();
    const series = drawn.map(({ policy, index }) => ({
      label: policy,
      stroke: colourOf(index),
      width: index === 0 ? 2.5 : 1.25,
      points: { show: false },
    }));
    this.#plots = PLOTS.map(({ curve, title, unit }) => {
      const columns = [policies[0]!.curves.seconds, ...drawn.map(({ curves }) => curves[curve])];
      const options = {
        title,
        ...SIZE,
        legend: { show: false },
        cursor: { sync: { key: 'time' } },
        scales: { x: { time: false } },
        axes: [
          { values: (_: uPlot, splits: number[]) => splits.map((second) => shortTime(second, length)) },
          { size: 64, values: (_: uPlot, splits: number[]) => splits.map(unit) },
        ],
        series: [
          {},
          ...series.map((each) => ({ ...each, value: (_: uPlot, value: number) => unit(value ?? 0) })),
        ],
      };
      return new UPlot(options, columns.map((column) => [...column]) as uPlot.AlignedData, parent);
    });
  }

  show(policy: number, isShown: boolean): void {
    for (const plot of this.#plots) plot.setSeries(this.#count - policy, { show: isShown });
  }
}

function counted(value: number): string {
  return value.toLocaleString('en-US');
}

function percent(value: number): string {
  return `${value} %`;
}

function dollars(microUsd: number): string {
  return `$${(microUsd / 1e6).toLocaleString('en-US', { maximumFractionDigits: 3 })}`;
}
