// A listener on a free port for tests of routes.

import { systemClock } from '../../../network/clock.ts';
import { type HttpServer, listenHttp, type Route } from '../../../network/http/http.ts';
import { httpMetrics } from '../../../network/http/http-metrics.ts';
import { Metrics } from '../../../network/metrics.ts';
import { keepingLogger } from '../world/keeping-logger.ts';

export function serveRoutes(routes: readonly Route[], port = 0): Promise<HttpServer> {
  return listenHttp({
    host: '127.0.0.1',
    port,
    routes,
    clock: systemClock,
    logger: keepingLogger(),
    metrics: httpMetrics(new Metrics())('test'),
  });
}
