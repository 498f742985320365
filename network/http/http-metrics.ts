// What a listener tells Prometheus: its connections, and its answers by kind of request.

import type { Counter, Metrics, Tallies, Tally } from '../metrics.ts';

export interface HttpMetrics {
  readonly refused: Counter<'listener' | 'why'>;
  readonly listener: string;
  /** Counts an answer that is over, with the bytes of its body. */
  count(kind: string, method: string | undefined, status: number, bytes: number): void;
  /** Connections of the listener are asked for when somebody reads the metrics. */
  watch(connections: () => number): void;
}

export function httpMetrics(metrics: Metrics): (listener: string) => HttpMetrics {
  const requests = metrics.tallies('headwater_http_requests_total', 'HTTP requests answered.', [
    'listener',
    'kind',
    'method',
    'status',
  ]);
  const sentBytes = metrics.tallies('headwater_http_sent_bytes_total', 'Bytes of bodies answered with.', [
    'listener',
    'kind',
  ]);
  const refused = metrics.counter(
    'headwater_http_connections_refused_total',
    'HTTP connections that were closed at once, because there are too many.',
    ['listener', 'why'],
  );
  const watched = new Map<string, () => number>();
  metrics.gauge('headwater_http_connections', 'HTTP connections open.', ['listener'], (gauge) => {
    for (const [listener, connections] of watched) gauge.set({ listener }, connections());
  });
  return (listener) => {
    const kinds = new Map<string, Answers>();
    const answersOf = (kind: string): Answers => {
      const answers = new Answers(listener, kind, requests, sentBytes);
      kinds.set(kind, answers);
      return answers;
    };
    return {
      refused,
      listener,
      count: (kind, method, status, bytes) =>
        (kinds.get(kind) ?? answersOf(kind)).count(method, status, bytes),
      watch: (connections) => watched.set(listener, connections),
    };
  };
}

type RequestLabel = 'listener' | 'kind' | 'method' | 'status';

const METHODS = ['other', 'GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'OPTIONS'];

/** The answers of one kind. */
class Answers {
  readonly #labels: { readonly listener: string; readonly kind: string };
  readonly #requests: Tallies<RequestLabel>;
  readonly #sentBytes: Tally;
  /** By method and status, in one number. */
  readonly #tallies = new Map<number, Tally>();

  constructor(
    listener: string,
    kind: string,
    requests: Tallies<RequestLabel>,
    sentBytes: Tallies<'listener' | 'kind'>,
  ) {
    this.#labels = { listener, kind };
    this.#requests = requests;
    this.#sentBytes = sentBytes.of(this.#labels);
  }

  count(method: string | undefined, status: number, bytes: number): void {
    const known = Math.max(0, METHODS.indexOf(method ?? ''));
    const key = status * METHODS.length + known;
    (this.#tallies.get(key) ?? this.#open(key, METHODS[known]!, status)).value++;
    this.#sentBytes.value += bytes;
  }

  #open(key: number, method: string, status: number): Tally {
    const tally = this.#requests.of({ ...this.#labels, method, status: String(status) });
    this.#tallies.set(key, tally);
    return tally;
  }
}
