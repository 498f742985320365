// Ingest: decides over each request to publish and keeps the broadcasts, one broadcaster for each name.

import type { Clock } from '../network/clock.ts';
import type { PublishPolicy } from '../network/config/publish-policy.ts';
import { reasonOf } from '../network/errors.ts';
import type { Feed } from '../network/feed/feed.ts';
import { type Feeds, SOURCE } from '../network/feed/feeds.ts';
import { FIRST_NUMBERING } from '../network/feed/numbering.ts';
import { keyIdOf } from '../network/keys/keybook.ts';
import type { Logger } from '../network/logger.ts';
import type { Owned } from '../network/state/ownership.ts';
import { Broadcast, type BroadcastRecord } from './broadcast.ts';
import type { IngestMetrics } from './ingest-metrics.ts';
import { numberingAfter, numberingBeyond } from './packager/resume.ts';
import type { Publication, PublishDecision, PublishRequest } from './rtmp/server.ts';

export interface IngestOptions {
  readonly feeds: Feeds;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: IngestMetrics;
  readonly policy: PublishPolicy;
  /** Makes this server the stream's origin, in the whole cluster. */
  readonly claim: (stream: string, takeover: boolean) => Promise<Owned>;
  /** How long a stream waits for its broadcaster to come back. */
  readonly graceMs: number;
  /** Whom it takes: while the server is being emptied those whose stream waits here, and past the deadline nobody. */
  readonly draining: { readonly isOn: boolean; readonly isOverdue: boolean };
  readonly onChange: () => void;
  /** A broadcast began here; what it gives is called when the broadcast goes on at another origin, and its feed with it. */
  readonly onBroadcast: (broadcast: Broadcast) => () => void;
}

/** Broadcasts, waiting ones included, that one server keeps at most. */
const MAX_BROADCASTS = 4_096;
/** What RTMP calls the reasons for which a publication is refused. */
const REFUSALS = {
  denied: 'NetStream.Publish.Denied',
  taken: 'NetStream.Publish.BadName',
  full: 'NetStream.Publish.Failed',
  draining: 'NetStream.Publish.Failed',
  unavailable: 'NetStream.Publish.Failed',
} as const;
const GO_ELSEWHERE = 'this server is being emptied: publish to another one';

export class Ingest {
  readonly #options: IngestOptions;
  readonly #broadcasts = new Map<string, Broadcast>();
  readonly #leaving = new Map<Broadcast, () => void>();
  /** Names that are being asked for in the cluster. */
  readonly #claiming = new Set<string>();

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
      action: 'publish',
      stream: request.name,
      key: request.query['key'],
      remoteAddress: request.remoteAddress,
      nowMs: clock.now(),
    });
    if (verdict.kind === 'denied') return this.#refuse('denied', verdict.reason);
    return this.#admit(request);
  }

  /** Another server has become the origin: this one lets its broadcaster go and gives back the feed, which can be followed. */
  lose(name: string, to: string): Feed | undefined {
    const broadcast = this.#broadcasts.get(name);
    if (!broadcast) return undefined;
    broadcast.source?.close('NetStream.Publish.BadName', `'${name}' was taken over on another server`);
    broadcast.end();
    this.#broadcasts.delete(name);
    this.#leaving.get(broadcast)?.();
    this.#leaving.delete(broadcast);
    this.#options.logger.warn(
      { stream: name, recording: broadcast.recording, to },
      'another server is the origin now',
    );
    return broadcast.feed;
  }

  /**
   * Every broadcaster is to leave: who can be asked is asked to go on at the server that `elsewhere` finds for its stream, and the
   * others are let go.
   */
  async sendAway(elsewhere: (stream: string) => Promise<string | undefined>): Promise<void> {
    const all = [...this.#broadcasts].map(async ([name, { source }]) => {
      const rtmpUrl = source && (await elsewhere(name).catch(() => undefined));
      if (rtmpUrl && source.reconnect(rtmpUrl, GO_ELSEWHERE)) return;
      source?.close('NetConnection.Connect.AppShutdown', GO_ELSEWHERE);
    });
    await Promise.all(all);
  }

  /** Keys that somebody publishes with now. */
  get keysInUse(): string[] {
    return [...this.#broadcasts.values()].flatMap(({ source }) => source?.query['key'] ?? []);
  }

  /** Lets go who publishes with a key of one of these ids. */
  revoke(ids: ReadonlySet<string>): void {
    for (const [name, { source }] of this.#broadcasts) {
      const key = source?.query['key'];
      if (key === undefined || !ids.has(keyIdOf(key))) continue;
      source?.close('NetStream.Publish.Denied', `the key for '${name}' was revoked`);
    }
  }

  /** Lets every broadcaster go. The streams may go on elsewhere: their feeds are cut and not ended. */
  close(): void {
    for (const [name, broadcast] of this.#broadcasts) {
      broadcast.end();
      this.#broadcasts.delete(name);
      this.#options.feeds.drop(name, SOURCE, 'the server stops');
    }
  }

  async #admit(request: PublishRequest): Promise<PublishDecision> {
    const { name } = request;
    const takeover = request.query['takeover'] === '1';
    const { isOn, isOverdue } = this.#options.draining;
    if (isOn && (isOverdue || !this.#broadcasts.has(name))) return this.#refuse('draining', GO_ELSEWHERE);
    if (!this.#broadcasts.has(name) && this.#broadcasts.size + this.#claiming.size >= MAX_BROADCASTS) {
      return this.#refuse('full', `this server has its ${MAX_BROADCASTS} broadcasts`);
    }
    if ((this.#broadcasts.get(name)?.source && !takeover) || this.#claiming.has(name)) {
      return this.#refuse('taken', isTaken(name, 'from another connection'));
    }
    this.#claiming.add(name);
    try {
      const owned = await this.#options.claim(name, takeover);
      if (owned.kind === 'held') {
        return this.#refuse('taken', isTaken(name, `on server ${owned.by}`));
      }
      const broadcast = this.#broadcasts.get(name) ?? this.#begin(name, owned);
      broadcast.claimed(owned.term);
      return this.#accept(request, broadcast);
    } catch (error) {
      const present = this.#broadcasts.get(name);
      if (present) return this.#accept(request, present);
      return this.#refuse('unavailable', `'${name}' can't be claimed now: ${reasonOf(error)}`);
    } finally {
      this.#claiming.delete(name);
    }
  }

  #accept(request: PublishRequest, broadcast: Broadcast): PublishDecision {
    const { name, connectionId, remoteAddress } = request;
    broadcast.source?.close('NetStream.Publish.BadName', `'${name}' was taken over by another connection`);
    broadcast.detach();
    broadcast.attach(request);
    this.#options.metrics.publishes.inc();
    this.#options.logger.info(
      { stream: name, recording: broadcast.recording, connectionId, remoteAddress },
      'on air',
    );
    return { kind: 'accept', publication: this.#publication(broadcast, request) };
  }

  #begin(name: string, { term, adopt, before }: Owned & { kind: 'claimed' }): Broadcast {
    const feed = adopt();
    const { clock, logger, metrics, graceMs, onChange, onBroadcast } = this.#options;
    const seen = numberingAfter(feed);
    const known = seen ?? (before && numberingBeyond(before));
    const broadcast = new Broadcast({
      name,
      feed,
      term,
      numbering: known ?? FIRST_NUMBERING,
      // Whoever still has its feed has it of the same broadcast.
      startedAtMs: (seen && before?.startedAtMs) ?? clock.now(),
      clock,
      logger,
      metrics,
      graceMs,
      onChange,
      onEnd: () => this.#forget(name, 'the broadcaster did not come back'),
    });
    this.#broadcasts.set(name, broadcast);
    this.#leaving.set(broadcast, onBroadcast(broadcast));
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
          {
            stream: request.name,
            recording: broadcast.recording,
            connectionId: request.connectionId,
            remoteAddress: request.remoteAddress,
            reason,
          },
          'off air',
        );
        if (broadcast.source === request) broadcast.detach();
      },
    };
  }

  #forget(name: string, reason: string): void {
    const broadcast = this.#broadcasts.get(name)!;
    this.#leaving.delete(broadcast);
    this.#broadcasts.delete(name);
    this.#options.feeds.close(name, SOURCE, reason);
    this.#options.logger.info({ stream: name, recording: broadcast.recording, reason }, 'stream ended');
    this.#options.onChange();
  }

  #refuse(reason: keyof typeof REFUSALS, description: string): PublishDecision {
    this.#options.metrics.refusals.inc({ reason });
    return { kind: 'refuse', code: REFUSALS[reason], description };
  }
}

function isTaken(name: string, where: string): string {
  return `'${name}' is live ${where}; add takeover=1 behind the key to take it over`;
}
