// What keys do while a player is on the page.

export type Keys = Readonly<Record<string, () => void>>;

/** Keys that what has the focus uses itself. */
const OWN_KEYS: Readonly<Record<string, readonly string[]>> = {
  BUTTON: [' ', 'enter'],
  SUMMARY: [' ', 'enter'],
  A: ['enter'],
  SELECT: [' ', 'arrowup', 'arrowdown', 'arrowleft', 'arrowright'],
};
/** A video with controls of the browser's has keys of the browser's while it has the focus. */
const OWN_CONTROLS = 'video[controls]';
const TEXTS: readonly string[] = ['text', 'search', 'password', 'number'];
const RANGES: readonly string[] = ['arrowup', 'arrowdown', 'arrowleft', 'arrowright', ' '];

/** By `KeyboardEvent.key`, in small letters. Until the signal is aborted. */
export function listenToKeys(keys: Keys, signal: AbortSignal): void {
  const onKey = (event: KeyboardEvent): void => {
    const key = event.key.toLowerCase();
    const act = keys[key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey || isTaken(key, event.target)) return;
    event.preventDefault();
    act();
  };
  document.addEventListener('keydown', onKey, { signal });
}

function isTaken(key: string, target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest('dialog') || target.matches(OWN_CONTROLS)) return true;
  if (target instanceof HTMLInputElement) return TEXTS.includes(target.type) || RANGES.includes(key);
  return OWN_KEYS[target.tagName]?.includes(key) ?? false;
}
