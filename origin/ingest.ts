// Ingest: decides over each request to publish and keeps the broadcasts, one broadcaster for each name.

import type { Clock } from '../network/clock.ts';
import { type Feeds, SOURCE } from '../network/feeds.ts';
import type { Logger } from '../network/logger.ts';
import { Broadcast, type BroadcastRecord } from './broadcast.ts';
import type { IngestMetrics } from './ingest-metrics.ts';
import type { PublishPolicy } from './publish-policy.ts';
import type { Publication, PublishDecision, PublishRequest } from './rtmp/server.ts';

export interface IngestOptions {
  readonly feeds: Feeds;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: IngestMetrics;
  readonly policy: PublishPolicy;
  /** How long a stream waits for its broadcaster to come back. */
  readonly graceMs: number;
  readonly onChange: () => void;
}

/** Broadcasts, waiting ones included, that one server keeps at most. */
const MAX_BROADCASTS = 4_096;

export class Ingest {
  readonly #options: IngestOptions;
  readonly #broadcasts = new Map<string, Broadcast>();

  constructor(options: IngestOptions) {
    this.#options = options;
  }

  get records(): BroadcastRecord[] {
    return [...this.#broadcasts.values()].map((broadcast) => broadcast.record);
  }

  /** First who it is, then whether the name is free: nobody learns from a refusal which streams are live. */
  async onPublish(request: PublishRequest): Promise<PublishDecision> {
    const { clock, policy } = this.#options;
    const verdict = await policy({
      stream: request.name,
      key: request.query['key'],
      remoteAddress: request.remoteAddress,
      nowMs: clock.now(),
    });
    if (verdict.kind === 'denied') return this.#refuse('NetStream.Publish.Denied', verdict.reason);
    return this.#admit(request);
  }

  /** Ends every broadcast. */
  close(): void {
    for (const [name, broadcast] of this.#broadcasts) {
      broadcast.end();
      this.#forget(name, 'the server stops');
    }
  }

  #admit(request: PublishRequest): PublishDecision {
    const { name } = request;
    const present = this.#broadcasts.get(name);
    if (!present && this.#broadcasts.size >= MAX_BROADCASTS) {
      return this.#refuse('NetStream.Publish.Failed', `this server has its ${MAX_BROADCASTS} broadcasts`);
    }
    if (present?.source && request.query['takeover'] !== '1') {
      return this.#refuse(
        'NetStream.Publish.BadName',
        `'${name}' is live from another connection; add takeover=1 behind the key to take it over`,
      );
    }
    const broadcast = present ?? this.#begin(name);
    broadcast.source?.close('NetStream.Publish.BadName', `'${name}' was taken over by another connection`);
    broadcast.detach();
    broadcast.attach(request);
    this.#options.logger.info(
      { stream: name, connection: request.connectionId, from: request.remoteAddress },
      'on air',
    );
    return { kind: 'accept', publication: this.#publication(broadcast, request) };
  }

  #begin(name: string): Broadcast {
    const { feeds, clock, logger, metrics, graceMs, onChange } = this.#options;
    const broadcast = new Broadcast({
      name,
      feed: feeds.open(name, SOURCE),
      clock,
      logger,
      metrics,
      graceMs,
      onChange,
      onEnd: () => this.#forget(name, 'the broadcaster did not come back'),
    });
    this.#broadcasts.set(name, broadcast);
    return broadcast;
  }

  /** A connection that was taken over says its last words to a broadcast that no longer listens to it. */
  #publication(broadcast: Broadcast, request: PublishRequest): Publication {
    return {
      message: (message) => {
        if (broadcast.source === request) broadcast.message(message);
      },
      closed: (reason) => {
        this.#options.logger.info(
          { connection: request.connectionId, stream: request.name, reason },
          'off air',
        );
        if (broadcast.source === request) broadcast.detach();
      },
    };
  }

  #forget(name: string, reason: string): void {
    this.#broadcasts.delete(name);
    this.#options.feeds.close(name, SOURCE, reason);
    this.#options.logger.info({ stream: name, reason }, 'stream ended');
    this.#options.onChange();
  }

  #refuse(code: string, description: string): PublishDecision {
    this.#options.metrics.refusals.inc({ code });
    return { kind: 'refuse', code, description };
  }
}
