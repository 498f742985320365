// What an operator sees of the archive.

import type { Counter, Metrics } from '../../network/metrics.ts';

export interface ArchiveMetrics {
  readonly segments: Counter;
  readonly bytes: Counter;
  /** Segments that were not recorded: any is an alarm. */
  readonly missed: Counter;
}

export function archiveMetrics(metrics: Metrics): ArchiveMetrics {
  return {
    segments: metrics.counter('headwater_archive_segments_total', 'Segments recorded.'),
    bytes: metrics.counter('headwater_archive_media_bytes_total', 'Bytes of media recorded.'),
    missed: metrics.counter(
      'headwater_archive_missed_segments_total',
      'Segments that could not be recorded.',
    ),
  };
}
