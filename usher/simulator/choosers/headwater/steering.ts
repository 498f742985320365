// Players that ask how to go on, as production steers them. Those for whom something changes ask as often as they are told to;
// of the others, who would nearly all be told to stay, one for each stream and place does now and then, and all that watch a
// stream when it has a new copy.

import { place } from '../../../placement/place.ts';
import type { Choice, Decision, PlaceRequest } from '../../../placement/request.ts';
import { serverRoomMbps } from '../../../placement/scene/plant.ts';
import { type Scene, sceneServer } from '../../../placement/scene/scene.ts';
import { placeAgain, RESERVE } from '../../../steering/moving.ts';
import { Pacer } from '../../../steering/pacer.ts';
import type { Destination } from '../../../steering/pathway-ids.ts';
import { type Steered, steer, ttlS } from '../../../steering/steer.ts';
import type { Copy } from '../../world/copy.ts';
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
const CALM_TURNS = (CALM_S * 1_000) / TURN_MS;
/** Of those who watch a copy from one place, one asks each minute; of a stream that grew, within the time that they were told. */
const KIND_TURNS = 60_000 / TURN_MS;
const GREW_TURNS = CALM_TURNS / 2;

export class Steering {
  readonly #options: SteeringOptions;
  readonly #pacer = new Pacer();
  /** Streams with a new copy, by the turn in which their viewers ask. */
  readonly #grown = new Map<Stream, number>();
  /** Who watches by a CDN, by the turn in which they ask. */
  readonly #overflowed = Array.from({ length: CALM_TURNS }, () => new Set<Viewer>());
  #turn = 0;

  constructor(options: SteeringOptions) {
    this.#options = options;
  }

  /** There is a copy more, where some who watch the stream may be better off. */
  grew(stream: Stream): void {
    if (!this.#grown.has(stream)) this.#grown.set(stream, this.#turn + GREW_TURNS);
  }

  /** It watches by a CDN from now on. */
  overflowed(viewer: Viewer): void {
    this.#overflowed[viewer.id % CALM_TURNS]!.add(viewer);
  }

  /** It is not where it was any more. */
  left(viewer: Viewer): void {
    this.#overflowed[viewer.id % CALM_TURNS]!.delete(viewer);
  }

  /** To be called every TURN_MS, with all servers. */
  take(servers: readonly Server[]): void {
    this.#turn++;
    const scene = this.#options.scene();
    const atCdns = this.#overflowed[this.#turn % CALM_TURNS]!;
    if (mayReturn(scene)) this.#askForEachKind(atCdns);
    for (const viewer of atCdns) this.#options.pay(viewer, CALM_S);
    for (const server of servers)
      if (isUrgent(scene, server)) this.#askAll(server);
      else if (this.#isTurnOf(server.index, KIND_TURNS)) this.#askWhoWatch([...server.copies.values()]);
    for (const [stream, turn] of [...this.#grown]) if (turn <= this.#turn) this.#askViewersOf(stream);
  }

  #isTurnOf(number: number, turns: number): boolean {
    return number % turns === this.#turn % turns;
  }

  #askAll(server: Server): void {
    for (const { audience } of [...server.copies.values()])
      for (const viewer of [...audience]) if (this.#isTurnOf(viewer.id, URGENT_TURNS)) this.#ask(viewer);
  }

  /** Again and again, as long as some go or wait for their turn. */
  #askViewersOf(stream: Stream): void {
    const isChanging = this.#askWhoWatch([...stream.copies]);
    if (isChanging) this.#grown.set(stream, this.#turn + CALM_TURNS);
    else this.#grown.delete(stream);
  }

  #askWhoWatch(copies: readonly Copy[]): boolean {
    let isChanging = false;
    for (const { audience } of copies) if (this.#askForEachKind(audience)) isChanging = true;
    return isChanging;
  }

  /** Of one copy, or of CDNs: if one of a kind goes, so do the others, as many as may. Whether one goes, or would if it might. */
  #askForEachKind(viewers: Iterable<Viewer>): boolean {
    const stayed = new Map<Stream, Set<Group>>();
    let isChanging = false;
    for (const viewer of [...viewers]) {
      const groups = stayed.getOrInsertComputed(viewer.stream, () => new Set());
      if (groups.has(viewer.group)) continue;
      const kind = this.#ask(viewer);
      if (kind !== 'goes') groups.add(viewer.group);
      if (kind !== 'stays') isChanging = true;
    }
    return isChanging;
  }

  #ask(viewer: Viewer): Steered['kind'] {
    const scene = this.#options.scene();
    const at = viewer.server && sceneServer(scene, viewer.server.id)?.server;
    const there: Destination | undefined = at && { kind: 'server', server: at };
    const request = { ...this.#options.requestOf(viewer), ...placeAgain(scene, there) };
    const decision = place(scene, request);
    if (decision.kind === 'unknown') return 'stays';
    const here = viewer.cdn ? atCdn(decision) : there;
    const steered = steer(scene, here, decision, ({ key, mbpsPerS }, mbps) =>
      this.#pacer.mayGo(key, mbps, mbpsPerS, this.#options.nowMs()),
    );
    if (steered.kind !== 'goes') return steered.kind;
    return this.#options.move(viewer, steered.choices) ? 'goes' : 'stays';
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
