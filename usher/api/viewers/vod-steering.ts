// Content Steering for players of recordings: they stay where they are, unless their server goes, is emptied, or has too much to do.

import { send, sendProblem } from '../../../network/http/answers.ts';
import type { Exchange } from '../../../network/http/exchange.ts';
import { quoted } from '../../../network/names.ts';
import type { Placer } from '../../placement/placer.ts';
import type { Choice, ServerChoice } from '../../placement/request.ts';
import type { Scene } from '../../placement/scene/scene.ts';
import { placeVod, watchedAs } from '../../placement/vod.ts';
import { recordedAs } from '../../recorded.ts';
import { placeAgain, reasonToMove } from '../../steering/moving.ts';
import type { Destination } from '../../steering/pathway-ids.ts';
import { ttlS } from '../../steering/steer.ts';
import { steeringList } from '../../steering/steering-list.ts';
import { type Guest, readWay, waysTo, wayTo } from '../../steering/ways.ts';
import type { RecordingOptions } from '../recordings/recordings.ts';
import { askFor, type GuestOptions, prolonged, recognise, steeringUri, wayMaker } from './guests.ts';
import { declaredIn, directoryOf, pathwayIn, STEERING_TYPE } from './steer.ts';

export interface VodOptions extends RecordingOptions, GuestOptions {
  readonly placer: Placer;
  /** Whether servers without room may send viewers to the store of recordings. */
  readonly sendsToStore?: boolean;
}

interface Steered {
  readonly choices: readonly Choice[];
  /** Null: it goes. */
  readonly stays: Destination | null;
}

export async function steerVod(options: VodOptions, exchange: Exchange): Promise<void> {
  const known = recognise(options, exchange);
  if (!known) return;
  const guest: Guest = { ...known, started: exchange.params['started']! };
  const id = `${guest.stream}.${guest.started}`;
  const entries = (await options.catalogue.list(guest.stream)).filter((entry) => entry.id === id);
  if (entries.length === 0)
    return sendProblem(exchange, 404, 'Not Found', `there is no recording ${quoted(id)}`);
  const scene = await options.placer.scene();
  const maker = wayMaker(options, exchange);
  const here = readWay(pathwayIn(exchange), guest, directoryOf(scene), maker);
  const request = { ...askFor(options, exchange, guest), ...placeAgain(scene, here) };
  const steered = steer(scene, here, placeVod(scene, entries, request, options.sendsToStore));
  const [best] = steered.choices;
  const isPlaced = !steered.stays && best?.kind === 'server' && pathwayIn(exchange) !== '';
  if (isPlaced)
    options.placer.promise(scene, watchedAs(id), best, {
      session: guest.session,
      network: options.networkOf(exchange),
    });
  sendList(options, exchange, { guest, here, steered, renditions: recordedAs(entries).renditions });
}

/** Players of recordings have time: that another server is better is no reason to go. */
function steer(scene: Scene, here: Destination | undefined, choices: readonly Choice[]): Steered {
  const [best] = choices;
  const reason = best && reasonToMove(scene, here, best);
  const goes = reason === 'lost' || reason === 'drain' || reason === 'over';
  if (goes) return { choices, stays: null };
  const others = choices.filter((choice) => !isAt(choice, here));
  return { choices: others, stays: here ?? null };
}

function isAt(choice: Choice, here: Destination | undefined): choice is ServerChoice {
  return choice.kind === 'server' && here?.kind === 'server' && choice.server.id === here.server.id;
}

function sendList(
  options: VodOptions,
  exchange: Exchange,
  {
    guest,
    here,
    steered: { choices, stays },
    renditions,
  }: {
    readonly guest: Guest;
    readonly here: Destination | undefined;
    readonly steered: Steered;
    readonly renditions: readonly { readonly name: string }[];
  },
): void {
  const declared = declaredIn(exchange);
  const next = prolonged(options, guest);
  const maker = wayMaker(options, exchange);
  const ways = waysTo(choices, next, maker);
  const back = here ? [wayTo(here, '', next, maker)] : [];
  const list = steeringList({
    ttlS: ttlS(!stays, false),
    pathways: stays ? [...back, ...ways] : [...ways, ...back],
    declared,
    renditions: renditions.map(({ name }) => name),
    reloadUri: next === guest ? undefined : steeringUri(options, next, declared),
  });
  if (list['PATHWAY-PRIORITY'].length > 0)
    send(exchange, 200, STEERING_TYPE, JSON.stringify(list), 'no-store');
  else
    sendProblem(exchange, 503, 'Service Unavailable', 'there is nowhere to go, and nothing is known of you');
}
