// The cluster state: what every server says of itself, as one snapshot. The seam between servers and usher.

/** One encoding of a stream, as a multivariant playlist describes it. */
export interface RenditionRecord {
  readonly name: string;
  /** RFC 6381, comma separated. */
  readonly codecs: string;
  /** Pixels; 0 without video. */
  readonly width: number;
  readonly height: number;
  /** Frames per second; 0 without video. */
  readonly frameRate: number;
  /** Bits per second of the largest segment held, and of all of them. */
  readonly peakBps: number;
  readonly averageBps: number;
}

export interface StreamRecord {
  readonly name: string;
  readonly startedAtMs: number;
  /** False while the stream waits for its broadcaster to come back. */
  readonly live: boolean;
  readonly renditions: readonly RenditionRecord[];
}

/** The whole of what a server announces; each beat replaces the one before. */
export interface ServerRecord {
  readonly id: string;
  /** Where players reach its media; a wildcard address means the host on which they reached usher. */
  readonly mediaUrl: string;
  readonly rtmpUrl: string;
  /** The streams that this server is the origin of. */
  readonly streams: readonly StreamRecord[];
  /** Viewers here, by stream. */
  readonly viewers: Readonly<Record<string, number>>;
}

/** The cluster as plain data at one instant of the state's own clock. */
export interface Snapshot {
  readonly nowMs: number;
  readonly servers: readonly ServerRecord[];
}

export interface ClusterState {
  /** Replaces what is known of a server. */
  beat(server: ServerRecord): Promise<void>;
  /** Forgets a server that ended in order. */
  leave(serverId: string): Promise<void>;
  snapshot(): Promise<Snapshot>;
}
