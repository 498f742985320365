// The relay's giving end: one long response for each server that follows a feed here.

import type { Clock } from '../clock.ts';
import type { Commitments } from '../egress/commitments.ts';
import type { Outflow } from '../egress/outflow.ts';
import { reasonOf } from '../errors.ts';
import { sendProblem } from '../http/answers.ts';
import { sendEndless } from '../http/endless.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Route } from '../http/http.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import { isStreamName, quoted } from '../names.ts';
import { verifyToken } from '../token.ts';
import { admit, type RelayPlace } from './admission.ts';
import { Child } from './child.ts';
import type { Relayed } from './relayed.ts';
import { RELAY_PATH, type RelayRequest, readRelayRequest } from './request.ts';
import { HEARTBEAT_MS } from './signal.ts';

export interface RelayServerOptions {
  /** The feed of a rendition, which this server may have to begin to follow itself; undefined when there is none. */
  readonly obtain: (stream: string, rendition: string) => Promise<Relayed | undefined>;
  /** Any of them opens the relay: with the new and the old one held, a cluster changes its secret while it runs. */
  readonly secrets: readonly string[];
  readonly commitments: Pick<Commitments, 'take'>;
  readonly outflow: Pick<Outflow, 'spend'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const RETRY_AFTER_S = 1;

export function relayRoutes(options: RelayServerOptions): Route[] {
  const server = new RelayServer(options);
  const handle = (exchange: Exchange): Promise<void> => server.handle(exchange);
  return [{ kind: 'relay', method: 'GET', pattern: RELAY_PATH, handle }];
}

class RelayServer {
  readonly #options: RelayServerOptions;
  readonly #children = new Set<Child>();
  readonly #sentBytes;
  readonly #letGo;
  readonly #refused;

  constructor(options: RelayServerOptions) {
    this.#options = options;
    const { metrics, clock } = options;
    this.#sentBytes = metrics.counter(
      'headwater_relay_sent_bytes_total',
      'Bytes written to following servers.',
    );
    this.#letGo = metrics.counter('headwater_relay_let_go_total', 'Following servers that were closed.', [
      'reason',
    ]);
    this.#refused = metrics.counter(
      'headwater_relay_refused_total',
      'Servers that were not let follow because there is no room for what they would take.',
    );
    metrics.gauge(
      'headwater_relay_children',
      'Servers that follow a feed here, once for each feed.',
      [],
      (gauge) => gauge.set(this.#children.size),
    );
    clock.every(HEARTBEAT_MS, () => {
      for (const child of this.#children) child.heartbeat();
    });
  }

  async handle(exchange: Exchange): Promise<void> {
    const request = this.#read(exchange);
    if (!request || !this.#authorise(exchange, request.stream)) return;
    const { stream, rendition } = request;
    const isName = isStreamName(stream) && isStreamName(rendition);
    const relayed = isName ? await this.#options.obtain(stream, rendition) : undefined;
    if (!relayed) {
      const detail = `there is no rendition ${quoted(rendition)} of a stream ${quoted(stream)}`;
      return sendProblem(exchange, 404, 'Not Found', detail);
    }
    const admission = admit(relayed.feed, relayed.lineage.path, request);
    if (admission.kind === 'admitted') this.#seat(exchange, request, relayed, admission.place);
    else sendProblem(exchange, admission.status, admission.title, admission.detail);
  }

  #read(exchange: Exchange): RelayRequest | undefined {
    const { stream = '', rendition = '' } = exchange.params;
    try {
      return readRelayRequest({ stream, rendition }, exchange.query);
    } catch (error) {
      sendProblem(exchange, 400, 'Bad Request', reasonOf(error));
      return undefined;
    }
  }

  #authorise(exchange: Exchange, stream: string): boolean {
    const [, token] = /^Bearer (\S+)$/i.exec(exchange.request.headers.authorization ?? '') ?? [];
    if (token === undefined) {
      exchange.response.setHeader('WWW-Authenticate', 'Bearer');
      sendProblem(exchange, 401, 'Unauthorized', 'the relay wants a token: Authorization: Bearer <token>');
      return false;
    }
    const nowMs = this.#options.clock.now();
    const verdict = verifyToken(this.#options.secrets, token, { purpose: 'relay', stream, nowMs });
    if (verdict.kind === 'refused') sendProblem(exchange, 403, 'Forbidden', verdict.reason);
    return verdict.kind === 'valid';
  }

  #seat(exchange: Exchange, request: RelayRequest, relayed: Relayed, place: RelayPlace): void {
    const { as, stream, rendition } = request;
    const { commitments } = this.#options;
    const commitment = commitments.take({ stream, rendition, by: 'server', uplink: undefined });
    const outlet = commitment ? sendEndless(exchange, 'video/mp4') : this.#refuse(exchange);
    if (!outlet || !commitment) {
      commitment?.end();
      return;
    }
    const logger = this.#options.logger.child({ stream, rendition, child: as });
    const child: Child = new Child({
      relayed,
      outlet,
      place,
      clock: this.#options.clock,
      onSent: (bytes) => {
        this.#sentBytes.inc(bytes);
        this.#options.outflow.spend(bytes);
      },
      onLetGo: (why) => {
        this.#letGo.inc({ reason: why });
        logger.warn({ reason: why }, 'a following server is let go');
      },
      onFault: (err) => logger.error({ err }, 'writing to a following server failed'),
      onClose: () => {
        this.#children.delete(child);
        commitment.end();
      },
    });
    this.#children.add(child);
  }

  #refuse(exchange: Exchange): undefined {
    this.#refused.inc();
    exchange.response.setHeader('Retry-After', RETRY_AFTER_S);
    sendProblem(exchange, 503, 'Service Unavailable', 'this server has promised all that it may send');
  }
}
