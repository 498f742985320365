// Answers as an edge answers players of LL-HLS, without TLS and with it: `tls-server.ts <certificate> <key>`. Sends its ports.

import { systemClock as clock } from '../../../network/clock.ts';
import { type Entity, sendEntity } from '../../../network/http/entity.ts';
import { listenHttp, type Route } from '../../../network/http/http.ts';
import { httpMetrics } from '../../../network/http/http-metrics.ts';
import { Identity } from '../../../network/http/identity.ts';
import { createLogger } from '../../../network/logger.ts';
import { Metrics } from '../../../network/metrics.ts';

/** A delta playlist, and a part of 333 ms at 4 Mbps. */
const PLAYLIST_BYTES = 2_000;
const PART_BYTES = 166_000;

const [certFile = '', keyFile = ''] = process.argv.slice(2);
const logger = createLogger('warn');
const identity = await Identity.open({ certFile, keyFile }, { clock, logger });
const measure = httpMetrics(new Metrics());
const routes = [entityRoute('playlist', PLAYLIST_BYTES), entityRoute('part', PART_BYTES)];
const common = { host: '127.0.0.1', port: 0, clock, logger, routes };
const plain = await listenHttp({ ...common, metrics: measure('plain') });
const secure = await listenHttp({ ...common, metrics: measure('secure'), identity });
process.send!({ plainPort: plain.port, securePort: secure.port });

function entityRoute(kind: string, bytes: number): Route {
  const views = [Buffer.alloc(bytes, 'headwater')];
  const entity: Entity = { views, type: 'video/mp4', etag: `"${kind}"`, cacheControl: 'no-store' };
  return {
    kind,
    method: 'GET',
    pattern: new RegExp(`^/${kind}$`),
    handle: (exchange) => sendEntity(exchange, entity),
  };
}
