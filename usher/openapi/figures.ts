// What the console hears of the cluster, as schemas of the messages that `console/messages.ts` tells the meaning of.

import { z } from '../../network/config/yaml.ts';
import type {
  Cluster,
  ClusterEvent,
  Curves,
  HeldStream,
  Me,
  ServerAnswer,
  SiteAnswer,
  Spend,
  StreamAnswer,
  StreamDetail,
} from '../console/messages.ts';

const count = z.number();
const maybe = count.exactOptional();
const text = z.string();
const names = z.array(text);
const table = <Row extends z.ZodType>(row: Row) => z.record(z.string(), row);

const COST = z.object({ transitMicroUsd: count, linksMicroUsd: count, cdnMicroUsd: count });
const MONTH = z.object({ transitMicroUsd: count, cdnMicroUsd: count });

const CDN = z.object({
  viewers: count,
  microUsdPerHour: count,
  monthMicroUsd: count,
  capMicroUsd: count,
});

const UPLINK = z.object({
  kind: z.enum(['peering', 'transit']),
  usedMbps: count,
  capacityMbps: maybe,
  monthMicroUsd: maybe,
});

const SITE = z.object({
  country: text.exactOptional(),
  latitude: maybe,
  longitude: maybe,
  servers: count,
  viewers: count,
  sentMbps: count,
  egressMbps: count,
  uplinks: table(UPLINK),
});

const LINK = z.object({
  thereMbps: count,
  backMbps: count,
  capacityMbps: maybe,
  microUsdPerGb: maybe,
  rttMs: maybe,
});

const DRAIN = z.object({
  sinceMs: count,
  deadlineMs: maybe,
  isWished: z.boolean(),
  viewers: count,
  children: count,
  broadcasts: count,
});

const SERVER = z
  .object({
    site: text,
    host: text,
    roles: names,
    isDead: z.literal(true).exactOptional(),
    egressMbps: count,
    sentMbps: count,
    committedMbps: count,
    viewers: count,
    copies: count,
    drain: DRAIN.exactOptional(),
    jobs: maybe,
    slots: maybe,
  })
  .meta({ id: 'ServerFigures' });

const stream = {
  isLive: z.boolean(),
  origin: text,
  startedAtMs: count,
  viewers: count,
  cdnViewers: maybe,
  arrivalsPerS: count,
  kbps: count,
  sentMbps: count,
  copies: count,
  renditions: names,
};

const TREE_SERVER = z.object({
  site: text,
  state: z.enum(['root', 'held', 'coming', 'going', 'dead']),
  parent: text.exactOptional(),
  nextParent: text.exactOptional(),
  viewers: count,
  arrivalsPerS: count,
  behind: maybe,
});

const RENDITION = z.object({
  codecs: text,
  width: count,
  height: count,
  frameRate: count,
  kbps: count,
  viewers: count,
  tree: table(TREE_SERVER),
});

const JOB = z.object({ state: text, reason: text.exactOptional(), renditions: names });

const STREAM_DETAIL = z
  .object({
    ...stream,
    name: text,
    cost: COST,
    ladder: table(RENDITION),
    cdns: table(count),
    jobs: table(JOB),
  })
  .meta({ id: 'StreamDetail', description: 'A stream with its trees.' }) satisfies z.ZodType<StreamDetail>;

/** What `live` begins with; `change` messages are JSON Merge Patches (RFC 7396) of it. */
export const CLUSTER = z
  .object({
    nowMs: count,
    totals: z.object({
      viewers: count,
      cdnViewers: count,
      arrivalsPerS: count,
      turnedAway: count,
      servers: count,
      deadServers: count,
      drainingServers: count,
      streams: count,
      sentMbps: count,
      egressMbps: count,
      cost: COST,
      month: MONTH,
    }),
    lead: z.object({ leader: text.exactOptional(), isHere: z.boolean(), planTerm: count, ushers: count }),
    sites: table(SITE),
    links: table(LINK),
    cdns: table(CDN),
    servers: table(SERVER),
    streams: table(z.object(stream)),
  })
  .meta({ id: 'Cluster', description: 'All that the overview shows.' }) satisfies z.ZodType<Cluster>;

const HELD_STREAM = z
  .object({
    stream: text,
    viewers: count,
    arrivalsPerS: count,
    sentMbps: count,
    isOrigin: z.boolean(),
    parent: text.exactOptional(),
    renditions: names,
  })
  .meta({ id: 'HeldStream' }) satisfies z.ZodType<HeldStream>;

export const ME = z.object({ name: text, expiresAtMs: count }) satisfies z.ZodType<Me>;

export const STREAM_ANSWER = z.object({
  stream: STREAM_DETAIL,
  thumbnail: text.exactOptional(),
  playToken: text.exactOptional().meta({ description: 'To play it with, where viewers need a token.' }),
}) satisfies z.ZodType<StreamAnswer>;

export const SERVER_ANSWER = z.object({
  id: text,
  server: SERVER,
  mediaUrl: text,
  streams: z.array(HELD_STREAM),
  streamCount: count,
  jobs: z.array(JOB.extend({ stream: text })),
}) satisfies z.ZodType<ServerAnswer>;

export const SITE_ANSWER = z.object({
  name: text,
  site: SITE,
  cost: COST,
  month: MONTH,
  servers: names,
  links: table(LINK),
  streams: z.array(HELD_STREAM),
  streamCount: count,
}) satisfies z.ZodType<SiteAnswer>;

export const SPEND = z.object({
  monthStartMs: count,
  cdns: table(CDN),
  transit: table(
    z.object({
      monthMicroUsd: count,
      gigabytes: count,
      billedMbps: maybe,
      commitMbps: maybe,
      usedMbps: count,
    }),
  ),
}) satisfies z.ZodType<Spend>;

const curve = z.array(count.nullable());

export const CURVES = z.object({
  stepMs: count,
  endMs: count,
  viewers: curve,
  sentMbps: curve,
  transitMicroUsd: curve,
  linksMicroUsd: curve,
  cdnMicroUsd: curve,
  stallRatio: curve,
}) satisfies z.ZodType<Curves>;

const server = { server: text };

const HAPPENING = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('server-joined'), ...server, site: text }),
  z.object({ kind: z.literal('server-gone'), ...server, site: text, how: z.enum(['left', 'silent']) }),
  z.object({ kind: z.literal('server-back'), ...server, site: text }),
  z.object({ kind: z.literal('drain-ordered'), ...server, deadlineMs: maybe, isWished: z.boolean() }),
  z.object({ kind: z.literal('drain-emptied'), ...server }),
  z.object({ kind: z.literal('drain-ended'), ...server }),
  z.object({ kind: z.literal('origin-changed'), stream: text, from: text, to: text }),
  z.object({ kind: z.literal('parents-changed'), ...server, copies: count, streams: names }),
  z.object({ kind: z.literal('overflow-began'), cdn: text, streams: names }),
  z.object({ kind: z.literal('overflow-ended'), cdn: text }),
  z.object({ kind: z.literal('job-moved'), stream: text, from: text, to: text }),
  z.object({ kind: z.literal('job-failed'), stream: text, ...server, reason: text }),
  z.object({ kind: z.literal('leader-changed'), leader: text.exactOptional(), planTerm: count }),
  z.object({ kind: z.literal('cap-reached'), cdn: text, capMicroUsd: count }),
  z.object({ kind: z.literal('recording-gap'), stream: text, recording: text }),
  z.object({ kind: z.literal('more'), count }),
]);

const EVENT = z
  .object({ id: count, atMs: count, happening: HAPPENING })
  .meta({ id: 'ClusterEvent', description: 'Something that happened.' }) satisfies z.ZodType<ClusterEvent>;

export const EVENT_LIST = z.object({ events: z.array(EVENT) });
