// What can be pressed around the picture, by pointer and by keyboard.

import type { Clock } from '../../../../network/clock.ts';
import type { Player } from '../../player.ts';
import { part } from '../dom.ts';
import { watchIdleness } from './idle.ts';
import { type Keys, listenToKeys } from './keys.ts';
import { joinMediaSession } from './media-session.ts';
import { listenToSettings } from './settings.ts';
import { listenToSound, type Sound } from './sound.ts';
import { canFloat, toggleFloating, toggleFullscreen } from './wide.ts';

const BACK_S = 5;
const RESTING = ['paused', 'ready', 'blocked'];

/** Until the signal is aborted. */
export function listenToControls(root: HTMLElement, player: Player, clock: Clock, signal: AbortSignal): void {
  const video = part<HTMLVideoElement>(root, 'video');
  const screen = part(root, 'screen');
  const help = part<HTMLDialogElement>(root, 'help');
  const on = (name: string, act: () => void): void =>
    part(root, name).addEventListener('click', act, { signal });
  const toggle = (): void => (RESTING.includes(player.status.state) ? player.play() : player.pause());
  const fill = (): void => toggleFullscreen(screen, video);
  const float = (): void => toggleFloating(video);
  on('toggle', toggle);
  on('start', () => player.play());
  on('live', () => player.toLive());
  on('fullscreen', fill);
  on('float', float);
  on('help-open', () => help.showModal());
  part(root, 'float').hidden = !canFloat();
  listenToPicture(video, toggle, fill, signal);
  listenToPausing(video, player, signal);
  listenToSettings(root, player, signal);
  joinMediaSession(player, signal);
  watchIdleness(screen, clock, signal);
  const sound = listenToSound(root, video, signal);
  const acts = { toggle, fill, float, help: () => help.showModal() };
  listenToKeys(keysFor(player, sound, acts), signal);
}

type Acts = Readonly<Record<'toggle' | 'fill' | 'float' | 'help', () => void>>;

/** As the help dialog lists them. */
function keysFor(player: Player, sound: Sound, { toggle, fill, float, help }: Acts): Keys {
  return {
    ' ': toggle,
    k: toggle,
    m: sound.toggle,
    arrowup: () => sound.step(1),
    arrowdown: () => sound.step(-1),
    arrowleft: () => player.seekBy(-BACK_S),
    arrowright: () => player.seekBy(BACK_S),
    l: () => player.toLive(),
    f: fill,
    i: float,
    '?': help,
  };
}

/** A click pauses and a double click fills the screen; a finger only wakes the controls. */
function listenToPicture(
  video: HTMLVideoElement,
  toggle: () => void,
  fill: () => void,
  signal: AbortSignal,
): void {
  const onClick = (event: MouseEvent): void => {
    const { pointerType } = event as PointerEvent;
    if (pointerType === 'mouse') toggle();
  };
  video.addEventListener('click', onClick, { signal });
  video.addEventListener('dblclick', fill, { signal });
}

/** The pause key of a headset or keyboard. A browser that pauses a hidden tab plays on by itself. */
function listenToPausing(video: HTMLVideoElement, player: Player, signal: AbortSignal): void {
  const isMeant = (): boolean => !document.hidden && !video.ended && player.status.state === 'playing';
  video.addEventListener('pause', () => isMeant() && player.pause(), { signal });
}
