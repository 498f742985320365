// Controls that leave the picture alone while nobody uses them.

import type { Clock, Timer } from '../../../../network/clock.ts';

const AWAKE_MS = 3_000;

/** `data-idle` on the screen says that nobody has moved or pressed anything for a while. Until the signal is aborted. */
export function watchIdleness(screen: HTMLElement, clock: Clock, signal: AbortSignal): void {
  let timer: Timer | undefined;
  const sleep = (): void => {
    // Who goes through the controls by keyboard does not lose them.
    if (screen.querySelector('.bar :focus-visible, [data-settings]:not([hidden])')) wake();
    else screen.toggleAttribute('data-idle', true);
  };
  const wake = (): void => {
    timer?.cancel();
    screen.removeAttribute('data-idle');
    timer = clock.after(AWAKE_MS, sleep);
  };
  for (const event of ['pointermove', 'pointerdown', 'focusin'] as const)
    screen.addEventListener(event, wake, { signal });
  document.addEventListener('keydown', wake, { signal });
  const leave = ({ pointerType }: PointerEvent): void => {
    if (pointerType === 'mouse') sleep();
  };
  screen.addEventListener('pointerleave', leave, { signal });
  signal.addEventListener('abort', () => timer?.cancel());
  wake();
}
