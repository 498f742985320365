// What a broadcaster sends, as plain values: RTMP messages, and the packets that are in them.

/** One audio, video or data message. The payload belongs to whoever receives it. */
export interface RtmpMessage {
  readonly type: 'audio' | 'video' | 'data';
  /** Milliseconds, modulo 2^32. */
  readonly timestampMs: number;
  readonly payload: Uint8Array;
}

export type VideoCodec = 'h264' | 'hevc' | 'av1' | 'vp9';
export type AudioCodec = 'aac' | 'mp3' | 'opus' | 'flac' | 'ac3' | 'eac3';

/** An FLV tag body, read. Data is in the form that MP4 samples have (length-prefixed NAL units, raw AAC frames, ...). */
export type MediaPacket =
  | { readonly kind: 'videoConfig'; readonly codec: VideoCodec; readonly config: Uint8Array }
  | {
      readonly kind: 'video';
      readonly codec: VideoCodec;
      readonly timestampMs: number;
      /** Presentation minus decode time; may be negative. */
      readonly compositionMs: number;
      readonly keyframe: boolean;
      readonly data: Uint8Array;
    }
  | { readonly kind: 'audioConfig'; readonly codec: AudioCodec; readonly config: Uint8Array }
  | {
      readonly kind: 'audio';
      readonly codec: AudioCodec;
      readonly timestampMs: number;
      readonly data: Uint8Array;
    }
  | { readonly kind: 'metadata'; readonly values: Readonly<Record<string, unknown>> }
  /** Nothing to carry: end of sequence, seek preview, command frame. */
  | { readonly kind: 'nothing' }
  /** What can't be packaged, in words for the broadcaster. */
  | { readonly kind: 'unsupported'; readonly reason: string };
