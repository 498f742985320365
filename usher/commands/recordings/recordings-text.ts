// Recordings as a table, the newest first. Pure.

import { tableLines } from '../../../network/command/table.ts';

/** As usher tells of it. */
export interface Listed {
  readonly id: string;
  readonly title: string;
  readonly isKept: boolean;
  readonly clipOf: string | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly durationMs: number;
  readonly bytes: number;
  readonly gaps: readonly unknown[];
  readonly keepers: readonly string[];
  readonly url: string;
}

const HEAD = ['recording', 'began', 'length', 'MB', 'gaps', 'where', 'remarks'];
const NUMBERS = [2, 3, 4];

export function recordingsText(recordings: readonly Listed[]): string {
  if (recordings.length === 0) return 'nothing is recorded\n';
  return `${tableLines([HEAD, ...recordings.map(rowOf)], NUMBERS).join('\n')}\n`;
}

function rowOf(recording: Listed): string[] {
  const { id, startedAt, durationMs, bytes, gaps, keepers } = recording;
  return [
    id,
    startedAt.slice(0, 19).replace('T', ' '),
    lengthText(durationMs),
    (bytes / 1e6).toFixed(1),
    String(gaps.length),
    keepers.join(', '),
    remarksOn(recording),
  ];
}

function remarksOn({ title, isKept, clipOf, endedAt }: Listed): string {
  const remarks = [
    clipOf === null ? '' : `clip of ${clipOf}`,
    endedAt === null ? 'may go on' : '',
    isKept && clipOf === null ? 'kept' : '',
    title === '' ? '' : `"${title}"`,
  ];
  return remarks.filter((remark) => remark !== '').join(', ');
}

/** `1:02:03`. */
function lengthText(ms: number): string {
  const s = Math.round(ms / 1000);
  const pad = (count: number): string => String(count).padStart(2, '0');
  return `${Math.floor(s / 3600)}:${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}`;
}
