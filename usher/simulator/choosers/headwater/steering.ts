// Players that ask how to go on, as production steers them. Those for whom something changes ask as often as they are told to;
// of the others, who would nearly all be told to stay, one for each stream and place does now and then.

import { place } from '../../../placement/place.ts';
import type { Choice, Decision, PlaceRequest } from '../../../placement/request.ts';
import { serverRoomMbps } from '../../../placement/scene/plant.ts';
import { type Scene, sceneServer } from '../../../placement/scene/scene.ts';
import { placeAgain, RESERVE } from '../../../steering/moving.ts';
import { Pacer } from '../../../steering/pacer.ts';
import type { Destination } from '../../../steering/pathway-ids.ts';
import { steer, ttlS } from '../../../steering/steer.ts';
import type { Group } from '../../world/group.ts';
import type { Server } from '../../world/plant.ts';
import type { Stream } from '../../world/stream.ts';
import type { Viewer } from '../../world/viewer.ts';

export interface SteeringOptions {
  readonly scene: () => Scene;
  readonly nowMs: () => number;
  readonly requestOf: (viewer: Viewer) => PlaceRequest;
  /** What a choice takes is promised, and the viewer goes; false: nobody would have it. */
  readonly move: (viewer: Viewer, choices: readonly Choice[]) => boolean;
  /** It watches by a CDN until it asks again. */
  readonly pay: (viewer: Viewer, forS: number) => void;
}

/** Players ask in so many groups, one after another within the time that they were told. */
export const TURN_MS = 200;
const URGENT_TURNS = (ttlS(true, false) * 1_000) / TURN_MS;
const CALM_S = ttlS(false, false);
const CDN_TURNS = (CALM_S * 1_000) / TURN_MS;
/** Of those who watch a copy from one place, one asks each two minutes. */
const KIND_TURNS = 60_000 / TURN_MS;

export class Steering {
  readonly #options: SteeringOptions;
  readonly #pacer = new Pacer();
  #turn = 0;

  constructor(options: SteeringOptions) {
    this.#options = options;
  }

  /** To be called every TURN_MS, with all servers and those who watch by CDNs. */
  take(servers: readonly Server[], overflowed: Iterable<Viewer>): void {
    this.#turn++;
    const scene = this.#options.scene();
    const isRoom = mayReturn(scene);
    for (const viewer of [...overflowed])
      if (this.#isTurnOf(viewer.id, CDN_TURNS)) this.#askAtCdn(viewer, isRoom);
    for (const server of servers)
      if (isUrgent(scene, server)) this.#askAll(server);
      else if (this.#isTurnOf(server.index, KIND_TURNS)) this.#askForEachKind(server);
  }

  #isTurnOf(number: number, turns: number): boolean {
    return number % turns === this.#turn % turns;
  }

  #askAll(server: Server): void {
    for (const viewer of [...server.viewers]) if (this.#isTurnOf(viewer.id, URGENT_TURNS)) this.#ask(viewer);
  }

  /** If one of them goes, so do those of its kind, as many as may. */
  #askForEachKind(server: Server): void {
    const stayed = new Map<Stream, Set<Group>>();
    for (const viewer of [...server.viewers]) {
      const groups = stayed.getOrInsertComputed(viewer.stream, () => new Set());
      if (!groups.has(viewer.group) && !this.#ask(viewer)) groups.add(viewer.group);
    }
  }

  #askAtCdn(viewer: Viewer, isRoom: boolean): void {
    if (isRoom) this.#ask(viewer);
    if (viewer.cdn) this.#options.pay(viewer, CALM_S);
  }

  #ask(viewer: Viewer): boolean {
    const scene = this.#options.scene();
    const at = viewer.server && sceneServer(scene, viewer.server.id)?.server;
    const there: Destination | undefined = at && { kind: 'server', server: at };
    const request = { ...this.#options.requestOf(viewer), ...placeAgain(scene, there) };
    const decision = place(scene, request);
    if (decision.kind === 'unknown') return false;
    const here = viewer.cdn ? atCdn(decision) : there;
    const steered = steer(scene, here, decision, ({ key, mbpsPerS }, mbps) =>
      this.#pacer.mayGo(key, mbps, mbpsPerS, this.#options.nowMs()),
    );
    return steered.kind === 'goes' && this.#options.move(viewer, steered.choices);
  }
}

/** It pulls from the shields that it would be sent to now: which of them is of no matter here. */
function atCdn(decision: Decision): Destination | undefined {
  if (decision.kind !== 'serve') return undefined;
  const choice = decision.choices.find((each) => each.kind === 'cdn');
  const [shield] = choice?.shields ?? [];
  return choice && shield && { kind: 'cdn', cdn: choice.cdn, shield };
}

/** Nobody comes back from a CDN while every server has less room than stays free for newcomers. */
function mayReturn({ sites }: Scene): boolean {
  return sites.some(({ open }) => open.some((at) => serverRoomMbps(at) > RESERVE * at.load.limitMbps));
}

/** Its viewers were told to ask again soon: it is being emptied, or over. */
function isUrgent(scene: Scene, { id }: Server): boolean {
  const at = sceneServer(scene, id);
  return at !== undefined && (at.closed !== undefined || at.load.usedMbps > at.load.limitMbps);
}
