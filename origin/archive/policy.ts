// What is recorded of which stream, and for how long it is kept. Pure.

import type { Config } from '../../network/config/schema/schema.ts';

export interface RecordingPolicy {
  readonly isRecorded: boolean;
  /** Of a broadcast, what comes later is not recorded. */
  readonly maxMs: number;
  /** Null: for ever. */
  readonly keepDays: number | null;
  /** What is recorded of a broadcast besides what the broadcaster sends. */
  readonly renditions: 'source' | 'all';
}

/** The sample broadcast of a first try would fill a disk for nobody. */
const SAMPLE_RULE = { stream: 'sample', record: false } as const;
const HOUR_MS = 3_600_000;

/** Of the rules that a stream's name fits, the first that says something holds. */
export function createPolicy(archive: Config['archive']): (stream: string) => RecordingPolicy {
  const rules: readonly Config['archive']['perStream'][number][] = [...archive.perStream, SAMPLE_RULE];
  return (stream) => {
    const own = rules.filter((rule) => isNamed(stream, rule.stream));
    const said = <Key extends keyof Ruled>(key: Key): Ruled[Key] => {
      const rule = own.find((each) => each[key] !== undefined);
      return rule ? (rule[key] as Ruled[Key]) : archive[key];
    };
    const maxHours = said('maxHours');
    return {
      isRecorded: said('record'),
      maxMs: maxHours === null ? Number.POSITIVE_INFINITY : maxHours * HOUR_MS,
      keepDays: said('keepDays'),
      renditions: said('renditions'),
    };
  };
}

type Ruled = Pick<Config['archive'], 'record' | 'maxHours' | 'keepDays' | 'renditions'>;

/** A name may end in `*`. */
function isNamed(stream: string, name: string): boolean {
  return name.endsWith('*') ? stream.startsWith(name.slice(0, -1)) : stream === name;
}
