// What can be pressed around the picture: pause, sound, full screen, modes and quality, by pointer and by keyboard.

import { isMode, supportedModes } from '../playback/modes.ts';
import type { Player } from '../player.ts';
import type { PlayerStatus } from '../status.ts';
import { part } from './dom.ts';
import { listenToQuality } from './quality-menu.ts';

/** Until the signal is aborted. */
export function listenToControls(root: HTMLElement, player: Player, signal: AbortSignal): void {
  const video = part<HTMLVideoElement>(root, 'video');
  const volume = part<HTMLInputElement>(root, 'volume');
  const screen = part(root, 'screen');
  const on = (name: string, act: () => void): void =>
    part(root, name).addEventListener('click', act, { signal });
  const toggle = (): void => (player.status.state === 'paused' ? player.play() : player.pause());
  on('toggle', toggle);
  on('start', () => player.play());
  on('unmute', () => setVolume(video, volume, 100));
  on('fullscreen', () => toggleFullscreen(screen, video));
  volume.addEventListener('input', () => setVolume(video, volume, volume.valueAsNumber), { signal });
  // The pause key of a headset or keyboard. A browser that pauses a hidden tab plays on by itself.
  const isMeant = (): boolean => !document.hidden && !video.ended && player.status.state === 'playing';
  video.addEventListener('pause', () => isMeant() && player.pause(), { signal });
  listenToModes(root, player, signal);
  listenToQuality(root, player, signal);
  listenToKeys({ k: toggle, f: () => toggleFullscreen(screen, video), m: () => mute(video, volume) }, signal);
}

function listenToModes(root: HTMLElement, player: Player, signal: AbortSignal): void {
  const supported: readonly string[] = supportedModes(part<HTMLVideoElement>(root, 'video'));
  for (const input of root.querySelectorAll<HTMLInputElement>('input[name="mode"]')) {
    input.disabled = !supported.includes(input.value);
    input.checked = input.value === player.status.mode;
    input.addEventListener('change', () => isMode(input.value) && choose(player, input.value), { signal });
  }
}

/** The address says the mode, so that it survives a reload and can be shared. */
function choose(player: Player, mode: PlayerStatus['mode']): void {
  const url = new URL(location.href);
  url.searchParams.set('mode', mode);
  history.replaceState(history.state, '', url);
  player.change(mode);
}

function listenToKeys(keys: Readonly<Record<string, () => void>>, signal: AbortSignal): void {
  const onKey = (event: KeyboardEvent): void => {
    const isTyping = event.target instanceof HTMLInputElement && event.target.type === 'text';
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    keys[event.key.toLowerCase()]?.();
  };
  document.addEventListener('keydown', onKey, { signal });
}

function setVolume(video: HTMLVideoElement, volume: HTMLInputElement, percent: number): void {
  video.muted = percent === 0;
  video.volume = percent / 100;
  volume.value = String(percent);
}

function mute(video: HTMLVideoElement, volume: HTMLInputElement): void {
  setVolume(video, volume, video.muted ? 100 : 0);
}

/** On iPhones only the video itself can fill the screen. */
function toggleFullscreen(
  screen: HTMLElement,
  video: HTMLVideoElement & { webkitEnterFullscreen?: () => void },
): void {
  if (document.fullscreenElement) document.exitFullscreen();
  else if (screen.requestFullscreen) screen.requestFullscreen();
  else video.webkitEnterFullscreen?.();
}
