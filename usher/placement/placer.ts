// Places viewers one after another: reads each snapshot once, and books what it hands out.

import type { Topology } from '../../network/map/topology.ts';
import type { ClusterState, Snapshot } from '../../network/state/state.ts';
import { place } from './place.ts';
import type { Policies } from './price/policy.ts';
import { Quality } from './price/quality.ts';
import { bookingOf } from './promises/booking.ts';
import { Promises } from './promises/promises.ts';
import type { Choice, Decision, PlaceRequest } from './request.ts';
import { Holders } from './scene/holders.ts';
import { type Scene, sceneOf } from './scene/scene.ts';

export interface PlacerOptions {
  readonly state: Pick<ClusterState, 'snapshot'>;
  readonly topology?: () => Topology;
  readonly policies?: () => Policies;
}

export class Placer {
  readonly quality = new Quality();
  readonly promised = new Promises();
  readonly #options: PlacerOptions;
  readonly #holders = new Holders();
  #scene: Scene | undefined;

  constructor(options: PlacerOptions) {
    this.#options = options;
  }

  /** Of the newest snapshot. Rejects as `snapshot` does. */
  async scene(): Promise<Scene> {
    const snapshot = await this.#options.state.snapshot();
    if (this.#scene?.snapshot !== snapshot) this.#scene = this.#read(snapshot);
    return this.#scene;
  }

  /** Decides, and promises the first choice to the session. */
  async place(request: PlaceRequest, session: string): Promise<Decision> {
    const scene = await this.scene();
    const decision = place(scene, request);
    if (decision.kind === 'serve') this.promise(scene, decision.stream.name, decision.choices[0]!, session);
    return decision;
  }

  /** Books what a choice takes; what the session was promised before is let go. A CDN is promised nothing. */
  promise(scene: Scene, stream: string, choice: Choice, session: string): void {
    const booking = choice.kind === 'server' ? bookingOf(scene, stream, choice) : undefined;
    if (booking) this.promised.book(session, booking, scene.snapshot.nowMs);
    else if (choice.kind === 'cdn') this.promised.release(session);
  }

  #read(snapshot: Snapshot): Scene {
    const { topology, policies } = this.#options;
    return sceneOf(snapshot, {
      quality: this.quality,
      promised: this.promised,
      holders: this.#holders,
      ...(topology ? { topology: topology() } : {}),
      ...(policies ? { policies: policies() } : {}),
    });
  }
}
