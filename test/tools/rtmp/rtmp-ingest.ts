// An RTMP server for tests that keeps what it was sent.

import { type Clock, systemClock } from '../../../network/clock.ts';
import type { RtmpMessage } from '../../../origin/media.ts';
import type { RtmpLimits } from '../../../origin/rtmp/limits.ts';
import {
  listenRtmp,
  type PublishDecision,
  type PublishRequest,
  type RtmpServer,
} from '../../../origin/rtmp/server.ts';
import { keepingLogger, type LogLine } from '../world/keeping-logger.ts';
import { Inbox } from './rtmp-inbox.ts';

export interface KeptPublication {
  readonly request: PublishRequest;
  readonly messages: Inbox<RtmpMessage>;
  /** Every reason that `closed` was called with: there should be one. */
  readonly closed: Inbox<string>;
}

export interface TestIngest {
  readonly server: RtmpServer;
  readonly port: number;
  readonly requests: Inbox<PublishRequest>;
  readonly publications: Inbox<KeptPublication>;
  readonly lines: readonly LogLine[];
  /** Code and reason of each warning. */
  readonly faults: readonly { readonly code: unknown; readonly reason: unknown }[];
  [Symbol.asyncDispose](): Promise<void>;
}

export interface TestIngestOptions {
  readonly host?: string;
  readonly port?: number;
  readonly clock?: Clock;
  readonly limits?: Partial<RtmpLimits>;
  /** Refuses or delays; accepts when it gives nothing. */
  readonly decide?: (request: PublishRequest) => Promise<PublishDecision | undefined>;
  /** Sees each message before it is kept, and may throw. */
  readonly onMessage?: (message: RtmpMessage) => void;
}

export async function startIngest(options: TestIngestOptions = {}): Promise<TestIngest> {
  const logger = keepingLogger();
  const requests = new Inbox<PublishRequest>();
  const publications = new Inbox<KeptPublication>();
  const server = await listenRtmp({
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    clock: options.clock ?? systemClock,
    logger,
    limits: options.limits ?? {},
    async onPublish(request) {
      requests.put(request);
      return (await options.decide?.(request)) ?? accept(request);
    },
  });

  function accept(request: PublishRequest): PublishDecision {
    const kept = { request, messages: new Inbox<RtmpMessage>(), closed: new Inbox<string>() };
    publications.put(kept);
    return {
      kind: 'accept',
      publication: {
        message(message) {
          options.onMessage?.(message);
          kept.messages.put(message);
        },
        closed(reason) {
          kept.messages.end(reason);
          kept.closed.put(reason);
        },
      },
    };
  }

  return {
    server,
    port: server.port,
    requests,
    publications,
    lines: logger.lines,
    get faults() {
      const warnings = logger.lines.filter((line) => line.level === 'warn');
      return warnings.map(({ fields }) => ({ code: fields.code, reason: fields.reason }));
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}
