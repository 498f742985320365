// The origin role: the RTMP listener and the broadcasts behind it, composed.

import type { Clock } from '../network/clock.ts';
import { publishPolicyOf } from '../network/config/publish-policy.ts';
import type { Config } from '../network/config/schema/schema.ts';
import type { Feed } from '../network/feed/feed.ts';
import type { Feeds } from '../network/feed/feeds.ts';
import { postJson } from '../network/http/dial.ts';
import type { Identity } from '../network/http/identity.ts';
import type { KeyBook } from '../network/keys/keybook.ts';
import { Revocations } from '../network/keys/revocations.ts';
import type { Logger } from '../network/logger.ts';
import type { Metrics } from '../network/metrics.ts';
import type { Owned } from '../network/state/ownership.ts';
import type { Archive } from './archive/archive.ts';
import type { BroadcastRecord } from './broadcast.ts';
import { Ingest } from './ingest.ts';
import { ingestMetrics } from './ingest-metrics.ts';
import { listenRtmp } from './rtmp/server.ts';

export interface OriginOptions {
  readonly config: Config;
  readonly secrets: readonly string[];
  readonly keyBook: Pick<KeyBook, 'revoked'>;
  readonly feeds: Feeds;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** To broadcasters over TLS. */
  readonly identity: Identity | undefined;
  /** Makes this server the origin of a stream. */
  readonly claim: (stream: string, takeover: boolean) => Promise<Owned>;
  readonly draining: { readonly isOn: boolean; readonly isOverdue: boolean };
  /** The streams, or what is known of them, changed. */
  readonly onChange: () => void;
  readonly archive: Pick<Archive, 'record'>;
}

export interface Origin {
  readonly port: number;
  /** Of RTMPS; 0 without. */
  readonly tlsPort: number;
  readonly streams: () => BroadcastRecord[];
  /** Another server has become a stream's origin; gives the feed that was written here. */
  readonly lose: (stream: string, to: string) => Feed | undefined;
  /** Every broadcaster is to leave, for the server whose RTMP URL `elsewhere` finds if possible. */
  sendAway(elsewhere: (stream: string) => Promise<string | undefined>): Promise<void>;
  close(): Promise<void>;
}

export async function startOrigin(options: OriginOptions): Promise<Origin> {
  const { config, secrets, feeds, clock, logger, identity, claim, draining, onChange, archive } = options;
  const { graceS } = config.publish;
  const metrics = ingestMetrics(options.metrics, () => ingest.records.filter((record) => record.live).length);
  const revocations = new Revocations({ book: options.keyBook, clock, logger });
  const policy = publishPolicyOf(config, secrets, postJson, revocations);
  const ingest: Ingest = new Ingest({
    feeds,
    clock,
    logger,
    metrics,
    policy,
    claim,
    graceMs: graceS * 1000,
    draining,
    onChange,
    onBroadcast: ({ name, feed, startedAtMs }) => archive.record(name, feed, startedAtMs),
  });
  const { rtmpsPort } = config.tls ?? {};
  const rtmp = await listenRtmp({
    host: config.bind,
    port: config.rtmpPort,
    tls: identity && rtmpsPort !== undefined ? { port: rtmpsPort, identity } : undefined,
    clock,
    logger,
    onPublish: (request) => ingest.onPublish(request),
  });
  options.metrics.gauge('headwater_rtmp_connections', 'RTMP connections open.', [], (gauge) =>
    gauge.set(rtmp.connections),
  );
  revocations.watch(
    () => ingest.keysInUse,
    (ids) => ingest.revoke(ids),
  );
  const close = async (): Promise<void> => {
    revocations[Symbol.dispose]();
    await rtmp.close();
    ingest.close();
  };
  return {
    port: rtmp.port,
    tlsPort: rtmp.tlsPort,
    streams: () => ingest.records,
    lose: (stream, to) => ingest.lose(stream, to),
    sendAway: (elsewhere) => ingest.sendAway(elsewhere),
    close,
  };
}
