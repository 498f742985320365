// What a player that asks is told: whether it goes on where it is, and where else it may go. Pure but for the pace.

import type { Choice, Decision } from '../placement/request.ts';
import type { Scene } from '../placement/scene/scene.ts';
import { isChanging, type Pace, paceOf, type Reason, reasonToMove } from './moving.ts';
import type { Destination } from './pathway-ids.ts';

export interface Steered {
  /** `waits`: it has a reason to go, and its turn or its new server's is still to come. */
  readonly kind: 'stays' | 'waits' | 'goes';
  readonly reason: Reason | undefined;
  /** The best first. Of one that does not go, none is where it is. */
  readonly choices: readonly Choice[];
  readonly isChanging: boolean;
}

/** `mayGo` counts who goes: it is asked only about one who does if it says so. */
export function steer(
  scene: Scene,
  here: Destination | undefined,
  decision: Exclude<Decision, { kind: 'unknown' }>,
  mayGo: (pace: Pace, mbps: number) => boolean,
): Steered {
  const { name } = decision.stream;
  const choices = decision.kind === 'serve' ? inOrder(scene, name, here, decision.choices) : [];
  const others = choices.filter((choice) => !isSame(choice, here));
  const [best] = choices;
  const changing = isChanging(scene, name, here);
  const reason = best && reasonToMove(scene, here, best);
  if (!best || !reason) return { kind: 'stays', reason, choices: others, isChanging: changing };
  const pace = paceOf(scene, here, best, reason);
  const goes = !isAwaited(scene, name, best, reason) && (!pace || mayGo(pace, best.mbps));
  if (!goes) return { kind: 'waits', reason, choices: others, isChanging: true };
  return { kind: 'goes', reason, choices, isChanging: changing };
}

/** One who was to go, and for whom nothing is leased where it would: who has lost its place goes there none the less. */
export function unleased(steered: Steered, here: Destination | undefined): Steered {
  if (steered.reason === 'lost') return steered;
  const choices = steered.choices.filter((choice) => !isSame(choice, here));
  return { ...steered, kind: 'waits', choices, isChanging: true };
}

/** Seconds until a player asks again: `isBusy` when so many ask this usher that it would rather be asked less. */
export function ttlS(changes: boolean, isBusy: boolean): number {
  if (isBusy) return changes ? 5 : 30;
  return changes ? 2 : 10;
}

/**
 * A server that is still to get the stream has nothing to play: those that have it come before it. Of these the one comes first
 * that a server which is being emptied sends playlists to: whoever was sent there already stays. A CDN that was the last
 * resort stays that: the copy will be there in a moment.
 */
function inOrder(
  scene: Scene,
  stream: string,
  here: Destination | undefined,
  choices: readonly Choice[],
): Choice[] {
  const successor = successorOf(scene, stream, here);
  const rankOf = (choice: Choice): number => {
    if (choice.kind === 'cdn') return choice === choices[0] ? 0 : 4;
    if (!isReady(scene, stream, choice)) return 3;
    return choice.server.id === successor ? 1 : 2;
  };
  return choices.toSorted((one, other) => rankOf(one) - rankOf(other));
}

function successorOf({ snapshot }: Scene, stream: string, here: Destination | undefined): string | undefined {
  const id = here?.kind === 'server' ? here.server.id : '';
  const successors = Object.hasOwn(snapshot.plan, id) ? snapshot.plan[id]!.successors : {};
  return Object.hasOwn(successors, stream) ? successors[stream]!.id : undefined;
}

/** One who can stay waits for the copy; one who can't goes to where it is made for him, unless it is already being made. */
function isAwaited(scene: Scene, stream: string, best: Choice, reason: Reason): boolean {
  if (reason === 'lost' || isReady(scene, stream, best)) return false;
  return reason !== 'drain' || (best.kind === 'server' && isComing(scene, stream, best.server.id));
}

function isReady(scene: Scene, stream: string, choice: Choice): boolean {
  if (choice.kind === 'cdn') return true;
  const slot = scene.holders.slotOf(choice.server.id);
  return scene.holders.of(stream).some((holder) => holder.slot === slot && holder.state !== 'coming');
}

function isComing(scene: Scene, stream: string, server: string): boolean {
  return scene.promised.isComing(stream, server) || scene.holders.has(server, stream);
}

function isSame(choice: Choice, here: Destination | undefined): boolean {
  if (choice.kind === 'server') return here?.kind === 'server' && here.server.id === choice.server.id;
  return here?.kind === 'cdn' && here.cdn.name === choice.cdn.name;
}
