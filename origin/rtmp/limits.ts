// What one RTMP peer may cost: times, sizes and counts, with their defaults.

export interface RtmpLimits {
  /** From the connection's beginning to the end of the handshake. */
  readonly handshakeMs: number;
  /** From the connection's beginning to the accepted publication. */
  readonly publishMs: number;
  /** Between two messages of audio or video, once publishing. */
  readonly silenceMs: number;
  /** For a refused peer to read its refusal before the socket is destroyed. */
  readonly lingerMs: number;
  readonly videoMessageBytes: number;
  /** Of any message but video. */
  readonly messageBytes: number;
  /** Of all messages that have begun and not ended, until the publication is accepted. Commands are small. */
  readonly waitingBytes: number;
  /** Messages until it is accepted, the empty ones too: encoders say a dozen, and some send their first frames with the last. */
  readonly waitingMessages: number;
  /** As `waitingBytes`, once it is accepted. */
  readonly partialBytes: number;
  /** Largest chunk that a peer may announce (Set Chunk Size). */
  readonly chunkBytes: number;
  readonly chunkStreams: number;
  /** Written and not taken by the peer. All that is ever sent are answers of a few hundred bytes. */
  readonly outputBytes: number;
  /** Received bytes from one acknowledgement to the next, until the peer asks for another window. */
  readonly acknowledgeBytes: number;
  readonly connections: number;
  /** From one address, or one IPv6 /64; not for loopback (see network/connection-limit.ts). */
  readonly connectionsPerAddress: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const DEFAULT_RTMP_LIMITS: RtmpLimits = {
  handshakeMs: 5_000,
  publishMs: 10_000,
  silenceMs: 30_000,
  lingerMs: 1_000,
  // A key frame of 8 MiB is what 60 s of a 1 Mbps stream weigh: no encoder makes one.
  videoMessageBytes: 8 * MIB,
  messageBytes: MIB,
  waitingBytes: 64 * KIB,
  waitingMessages: 512,
  partialBytes: 16 * MIB,
  chunkBytes: 16 * MIB,
  chunkStreams: 32,
  outputBytes: 64 * KIB,
  acknowledgeBytes: 2_500_000,
  connections: 1_024,
  connectionsPerAddress: 64,
};
