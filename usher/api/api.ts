// Usher's HTTP interface: what players, pages, encoders and operators ask.

import type { Route } from '../../network/http.ts';
import { clusterRoutes } from './cluster.ts';
import { type LiveOptions, liveRoutes } from './live.ts';
import { type RecordingOptions, recordingRoutes } from './recordings.ts';
import { streamRoutes } from './streams.ts';

export type ApiOptions = LiveOptions & RecordingOptions;

export function apiRoutes(options: ApiOptions): Route[] {
  return [
    ...liveRoutes(options),
    ...streamRoutes(options.state),
    ...recordingRoutes(options),
    ...clusterRoutes(options),
  ];
}
