// How much of what players report on was stalled: of all, by stream, and by the server and the site that this usher sent them to. Pure.

export interface Report {
  readonly stream: string;
  readonly server: string;
  readonly site: string;
  readonly playedMs: number;
  readonly stalledMs: number;
}

const SUBJECTS = ['stream', 'server', 'site', 'all'] as const;
export type Subject = (typeof SUBJECTS)[number];
/** The one subject of `all`. */
export const ALL = '';

interface Spans {
  playedMs: number;
  stalledMs: number;
}

/** Past so many of a kind, what others report does not count until the next step. */
const MAX_SUBJECTS = 5_000;

export class Stalls {
  #spans = noSpans();

  report({ playedMs, stalledMs, ...report }: Report): void {
    const subjects = { ...report, all: ALL };
    for (const kind of SUBJECTS) {
      const known = this.#spans[kind];
      if (known.size >= MAX_SUBJECTS && !known.has(subjects[kind])) continue;
      const spans = known.getOrInsertComputed(subjects[kind], () => ({ playedMs: 0, stalledMs: 0 }));
      spans.playedMs += playedMs;
      spans.stalledMs += stalledMs;
    }
  }

  /** What was reported since this was asked last: stalled parts, 0 to 1. */
  take(): Ratios {
    const spans = this.#spans;
    this.#spans = noSpans();
    const entries = SUBJECTS.map((kind) => [kind, ratios(spans[kind])]);
    return Object.fromEntries(entries) as Ratios;
  }
}

export type Ratios = Readonly<Record<Subject, ReadonlyMap<string, number>>>;

function noSpans(): Readonly<Record<Subject, Map<string, Spans>>> {
  return { stream: new Map(), server: new Map(), site: new Map(), all: new Map() };
}

function ratios(spans: ReadonlyMap<string, Spans>): ReadonlyMap<string, number> {
  const found = [...spans].filter(([, { playedMs, stalledMs }]) => playedMs + stalledMs > 0);
  return new Map(
    found.map(([name, { playedMs, stalledMs }]) => [name, stalledMs / (playedMs + stalledMs)] as const),
  );
}
