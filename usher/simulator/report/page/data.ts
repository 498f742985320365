// What the page draws, and where it finds it.

export interface PageData {
  readonly minutes: number;
  readonly policies: readonly PolicyData[];
}

export interface PolicyData {
  readonly policy: string;
  readonly curves: Readonly<Record<CurveName, readonly number[]>>;
  readonly trees: readonly TreeData[];
}

export type CurveName =
  | 'seconds'
  | 'ownViewers'
  | 'cdnViewers'
  | 'refused'
  | 'worstServer'
  | 'worstUplink'
  | 'worstLink'
  | 'copies'
  | 'cost';

export interface TreeData {
  readonly second: number;
  readonly stream: string;
  /** Parents come before their children. */
  readonly copies: readonly CopyData[];
}

export type CopyData = readonly [
  server: string,
  parent: number,
  viewers: number,
  percent: number,
  isReady: number,
];

export function readData(): PageData {
  return JSON.parse(document.getElementById('data')!.textContent);
}

/** As a clock shows it. */
export function timeOf(second: number): string {
  const whole = Math.round(second);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

const NAMESPACE = 'http://www.w3.org/2000/svg';

export function svg(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  text = '',
): SVGElement {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.textContent = text;
  return element;
}
