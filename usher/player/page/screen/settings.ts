// The menu of the player: how to watch, and in which quality.

import { isMode, supportedModes } from '../../playback/modes.ts';
import type { Player } from '../../player.ts';
import { part } from '../dom.ts';
import { keepPreferences } from './preferences.ts';
import { listenToQuality } from './quality-menu.ts';

/** Until the signal is aborted. */
export function listenToSettings(root: HTMLElement, player: Player, signal: AbortSignal): void {
  listenToModes(root, player, signal);
  listenToQuality(root, player, signal);
  const menu = part(root, 'settings');
  const button = part(root, 'settings-toggle');
  const open = (isOpen: boolean): void => {
    menu.hidden = !isOpen;
    button.ariaExpanded = `${isOpen}`;
  };
  const isWithin = (event: Event): boolean => {
    const target = event.target as Node;
    return menu.contains(target) || button.contains(target);
  };
  const closeOutside = (event: Event): void => {
    if (!isWithin(event)) open(false);
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || menu.hidden) return;
    open(false);
    button.focus();
  };
  button.addEventListener('click', () => open(menu.hidden !== false), { signal });
  document.addEventListener('pointerdown', closeOutside, { signal });
  document.addEventListener('keydown', onKey, { signal });
  open(false);
}

function listenToModes(root: HTMLElement, player: Player, signal: AbortSignal): void {
  const supported: readonly string[] = supportedModes(part<HTMLVideoElement>(root, 'video'));
  for (const input of root.querySelectorAll<HTMLInputElement>('input[name="mode"]')) {
    input.disabled = !supported.includes(input.value);
    input.checked = input.value === player.status.mode;
    input.addEventListener('change', () => choose(player, input.value), { signal });
  }
}

/** The address says the mode, so that it can be shared; the next stream is watched the same way. */
function choose(player: Player, mode: string): void {
  if (!isMode(mode)) return;
  const url = new URL(location.href);
  url.searchParams.set('mode', mode);
  history.replaceState(history.state, '', url);
  keepPreferences({ mode });
  player.change(mode);
}
