// Usher's HTTP interface: what players, pages, encoders and operators ask.

import type { Route } from '../../network/http/http.ts';
import type { ClusterState } from '../../network/state/state.ts';
import { clusterRoutes } from './cluster.ts';
import { type ExplainOptions, explainRoutes } from './explain.ts';
import { type KeyOptions, keyRoutes } from './keys.ts';
import { type OwnerOptions, ownerRoutes } from './recordings/owners.ts';
import { type RecordingOptions, recordingRoutes } from './recordings/recordings.ts';
import { type ServerOptions, serverRoutes } from './servers.ts';
import { type StreamsOptions, streamRoutes } from './streams.ts';
import { type LiveOptions, liveRoutes } from './viewers/live.ts';
import { type QualityOptions, qualityRoutes } from './viewers/quality.ts';
import { type SteerOptions, steerRoutes } from './viewers/steer.ts';
import { vodRoutes } from './viewers/vod.ts';
import type { VodOptions } from './viewers/vod-steering.ts';

export interface ApiOptions
  extends LiveOptions,
    SteerOptions,
    ExplainOptions,
    QualityOptions,
    RecordingOptions,
    OwnerOptions,
    VodOptions,
    ServerOptions,
    StreamsOptions,
    KeyOptions {
  readonly state: Pick<ClusterState, 'snapshot' | 'drain'>;
}

export function apiRoutes(options: ApiOptions): Route[] {
  return [
    ...liveRoutes(options),
    ...steerRoutes(options),
    ...streamRoutes(options),
    ...recordingRoutes(options),
    ...vodRoutes(options),
    ...ownerRoutes(options),
    ...clusterRoutes(options),
    ...explainRoutes(options),
    ...serverRoutes(options),
    ...keyRoutes(options),
    ...qualityRoutes(options),
  ];
}
