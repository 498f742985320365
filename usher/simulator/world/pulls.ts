// What CDNs pull from the network: a stream once from each of its shields, as long as one viewer of theirs watches it.

import type { Copies } from './copies.ts';
import type { Copy } from './copy.ts';
import type { Events } from './events.ts';
import { type PlantCdn, type Server, transitOf } from './plant.ts';
import type { Stream } from './stream.ts';
import type { CdnPathway } from './viewer.ts';

interface Pull {
  viewers: number;
  copies: Copy[];
}

export class Pulls {
  readonly #options: { readonly events: Events; readonly copies: Copies };
  readonly #hasGuard: boolean;
  readonly #pulls = new Map<PlantCdn, Map<Stream, Pull>>();

  constructor(options: { readonly events: Events; readonly copies: Copies }, hasGuard: boolean) {
    this.#options = options;
    this.#hasGuard = hasGuard;
  }

  /** Whether the CDN has the stream, or some shield lets it have it. */
  mayBegin(stream: Stream, { cdn, shields }: CdnPathway): boolean {
    const pull = this.#pulls.get(cdn)?.get(stream);
    return (pull?.copies.length ?? 0) > 0 || shields.some((server) => this.#mayPull(stream, server));
  }

  /** For one viewer more. Shields are those of the first viewer, or of the first after they were lost. */
  begin(stream: Stream, { cdn, shields }: CdnPathway): void {
    const pulls = this.#pulls.getOrInsertComputed(cdn, () => new Map());
    const pull = pulls.getOrInsertComputed(stream, () => ({ viewers: 0, copies: [] }));
    pull.viewers++;
    stream.cdnViewers++;
    cdn.meter.add(stream.kbps, this.#options.events.nowMs);
    if (pull.copies.length > 0) return;
    pull.copies = shields
      .filter((server) => this.#mayPull(stream, server))
      .map((server) => this.#options.copies.obtain(stream, server));
    for (const copy of pull.copies) this.#pull(copy, 1);
  }

  end(stream: Stream, cdn: PlantCdn): void {
    const pulls = this.#pulls.get(cdn)!;
    const pull = pulls.get(stream)!;
    pull.viewers--;
    stream.cdnViewers--;
    cdn.meter.add(-stream.kbps, this.#options.events.nowMs);
    if (pull.viewers > 0) return;
    pulls.delete(stream);
    for (const copy of pull.copies) this.#pull(copy, -1);
  }

  /** Its copies go: others have to be shields. */
  lose(server: Server): void {
    for (const pulls of this.#pulls.values())
      for (const pull of pulls.values()) {
        for (const copy of pull.copies) if (copy.server === server) this.#pull(copy, -1);
        pull.copies = pull.copies.filter((copy) => copy.server !== server);
      }
  }

  #mayPull({ kbps }: Stream, server: Server): boolean {
    return server.isUp && (!this.#hasGuard || server.admits(kbps, 'feeder'));
  }

  #pull(copy: Copy, change: 1 | -1): void {
    const { events, copies } = this.#options;
    const { server, stream } = copy;
    copy.pull(change);
    server.feed(stream.kbps * change, events.nowMs);
    transitOf(server.site.uplinks).meter.add(stream.kbps * change, events.nowMs);
    if (change < 0) copies.release(copy);
  }
}
