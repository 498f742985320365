// Streams as they are shown with the renditions that workers make of them. Pure.

import { isWithin } from './liveness.ts';
import type { KnownServer, RenditionRecord, StreamRecord } from './state.ts';

/**
 * What a worker made is listed for so long after its last beat: by then another goes on with it, and viewers, who live from the
 * windows of their servers, have not lost it in between.
 */
const RUNGS_KEPT_MS = 15_000;

/** A rendition that two workers say to make is listed once, as the one says it that was heard of last. */
export function withRungs(
  streams: readonly StreamRecord[],
  servers: readonly KnownServer[],
  nowMs: number,
): readonly StreamRecord[] {
  const made = new Map<string, RenditionRecord[]>();
  for (const { transcoding } of newestFirst(servers, nowMs))
    for (const { stream, renditions } of transcoding!.jobs)
      add(
        made.getOrInsertComputed(stream, () => []),
        renditions,
      );
  if (made.size === 0) return streams;
  return streams.map((stream) => {
    const own = stream.renditions;
    const others = (made.get(stream.name) ?? []).filter(({ name }) => !own.some((one) => one.name === name));
    // Without a source there is nothing that they could be made of.
    return own.length > 0 && others.length > 0 ? { ...stream, renditions: [...own, ...others] } : stream;
  });
}

/** The living worker that makes a rendition, so that everybody else has it from there. */
export function makerOf(
  servers: Iterable<KnownServer>,
  stream: string,
  rendition: string,
): KnownServer | undefined {
  let maker: KnownServer | undefined;
  for (const server of servers)
    if (makes(server, stream, rendition) && !(maker && maker.beatAtMs >= server.beatAtMs)) maker = server;
  return maker;
}

function makes({ transcoding }: KnownServer, stream: string, rendition: string): boolean {
  const job = transcoding?.jobs.find((candidate) => candidate.stream === stream);
  return job?.renditions.some(({ name }) => name === rendition) ?? false;
}

function newestFirst(servers: readonly KnownServer[], nowMs: number): KnownServer[] {
  return servers
    .filter(({ transcoding, beatAtMs }) => transcoding && isWithin(beatAtMs, nowMs, RUNGS_KEPT_MS))
    .sort((one, other) => other.beatAtMs - one.beatAtMs);
}

/** The highest first, so that a playlist is in the same order at every usher. */
function add(known: RenditionRecord[], renditions: readonly RenditionRecord[]): void {
  for (const rendition of renditions)
    if (!known.some(({ name }) => name === rendition.name)) known.push(rendition);
  known.sort((one, other) => other.height - one.height || other.frameRate - one.frameRate);
}
